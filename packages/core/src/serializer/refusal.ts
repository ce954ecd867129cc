import { SerializationError } from "../errors.js";
import { carriersOf, isIndex, type Kind, kindOf, type SerializerName } from "./kind.js";

/** How deep a value may be nested for the serializers that call themselves at each level. */
export const deepest = 1_000;

/** One object on the way from the root to where the search stands. */
interface Step {
  readonly value: object;
  /** How the object above leads here, as it is written in a path. */
  readonly segment: string;
  readonly children: Iterator<Child>;
}

interface Child {
  readonly segment: string;
  readonly value: unknown;
}

/**
 * Throws if the serializer cannot carry the value or something in it, with the way to the first such thing. Looks at every
 * object once, and calls itself at no depth. The serializers that must be fast have quicker checks of their own, and come here
 * only to find the words.
 *
 * @throws SerializationError
 */
export function refuseUncarried(root: unknown, serializer: SerializerName): void {
  const way: Step[] = [];
  const inside = new Set<object>();
  const done = new Set<object>();

  const visit = (segment: string, value: unknown): void => {
    const kind = kindOf(value);
    const refuse = (what: Kind): never => {
      throw refusal([...way.map((step) => step.segment), segment].join(""), value, what, serializer);
    };
    const carried = (what: Kind): boolean => carriersOf(what).includes(serializer);
    if (!carried(kind)) refuse(kind);
    if (typeof value !== "object" || value === null) return;
    if (inside.has(value) && !carried("a value that contains itself")) refuse("a value that contains itself");
    if (inside.has(value) || done.has(value)) return;
    if (way.length > deepest && !carried("nested more than 1,000 levels deep"))
      refuse("nested more than 1,000 levels deep");
    inside.add(value);
    way.push({ value, segment, children: childrenOf(value) });
  };

  visit("$", root);
  for (let step = way.at(-1); step !== undefined; step = way.at(-1)) {
    const next = step.children.next();
    if (next.done !== true) {
      visit(next.value.segment, next.value.value);
    } else {
      way.pop();
      inside.delete(step.value);
      done.add(step.value);
    }
  }
}

/** For what goes wrong although every part can be carried, such as a text longer than a string can be. */
export function failure(serializer: SerializerName, error: unknown): SerializationError {
  const reason = error instanceof Error ? error.message : String(error);
  return new SerializationError(`${serializer}() could not write the value: ${reason}`, "$", {
    cause: error,
  });
}

function* childrenOf(value: object): Generator<Child> {
  if (value instanceof Map) {
    let index = 0;
    for (const [key, element] of value) {
      yield { segment: `.keys()[${index}]`, value: key };
      yield {
        segment: `.get(${typeof key === "string" ? JSON.stringify(key) : `keys()[${index}]`})`,
        value: element,
      };
      index++;
    }
  } else if (value instanceof Set) {
    let index = 0;
    for (const element of value) yield { segment: `.values()[${index++}]`, value: element };
  } else if (Array.isArray(value)) {
    // By its keys, since an array of three elements can be four thousand million long.
    for (const key of Object.keys(value)) {
      yield { segment: isIndex(key) ? `[${key}]` : segmentOf(key), value: Reflect.get(value, key) };
    }
  } else if (!ArrayBuffer.isView(value) && !(value instanceof String)) {
    for (const key of Object.getOwnPropertyNames(value))
      yield { segment: segmentOf(key), value: Reflect.get(value, key) };
  }
}

const identifier = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

function segmentOf(key: string): string {
  return identifier.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function refusal(path: string, value: unknown, kind: Kind, serializer: SerializerName): SerializationError {
  const others = carriersOf(kind);
  const advice =
    others.length > 0
      ? `${others.map((other) => `${other}()`).join(" and ")} can: name it as the node's serializer, or return something else from load.`
      : "nor can any other serializer: return plain data from load, and make the rest of it where it is used.";
  return new SerializationError(
    `The value at ${path} is ${describe(value, kind)}, which ${serializer}() cannot carry; ${advice}`,
    path,
  );
}

function describe(value: unknown, kind: Kind): string {
  switch (kind) {
    case "undefined inside a value":
      return "undefined";
    case "NaN or an infinity":
      return String(value);
    case "a function":
      return typeof value === "function" && value.name !== "" ? `the function ${value.name}` : kind;
    case "a Map or a Set":
      return value instanceof Map ? "a Map" : "a Set";
    case "an instance of a class":
    case "a typed array, a DataView or a Buffer":
    case "an Error of a standard class":
    case "an Error with properties of its own":
      return describeByClass(value, kind);
    default:
      return kind;
  }
}

function describeByClass(value: unknown, kind: Kind): string {
  const made = typeof value === "object" && value !== null ? Reflect.get(value, "constructor") : undefined;
  const name = typeof made === "function" && made.name !== "" ? made.name : undefined;
  if (name === undefined) return kind;
  const article = /^[AEIOU]/i.test(name) ? "an" : "a";
  if (kind === "an instance of a class") return `an instance of ${name}`;
  return kind === "an Error with properties of its own"
    ? `${article} ${name} with properties of its own`
    : `${article} ${name}`;
}
