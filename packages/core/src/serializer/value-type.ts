import { ConfigurationError, reasonOf, SerializationError } from "../errors.js";

/**
 * A type of your own that a serializer carries. It recognizes a value, encodes it as plain data,
 * and decodes it.
 *
 * A serializer only asks its types about values that it does not carry by itself. Make a type with
 * {@link valueType}, which infers `T` and `D`.
 */
export interface ValueType<T = unknown, D = unknown> {
  /**
   * The name of the type in stored entries. It is unique among the serializer's types and never
   * changes. An entry with a tag that its reader does not know is a miss.
   */
  readonly tag: string;
  /**
   * The class whose instances the type carries. Instances of derived classes are not included: give
   * them a type or a `test`.
   */
  readonly class?: { readonly prototype: T } | undefined;
  /**
   * Recognizes the values instead of `class`, such as for several copies of a package, or a bigint
   * in `json()`. Must be quick.
   */
  readonly test?: ((value: unknown) => boolean) | undefined;
  /**
   * Returns the value as data that the serializer carries. The data may hold values of the
   * serializer's types.
   */
  encode(value: T): D;
  /** Returns the value again. Any error thrown here makes the entry a miss. */
  decode(data: D): T;
}

/** The settings of the serializers. */
export interface SerializerOptions {
  /**
   * Types of your own that are carried beside those in the documentation's table. Default: none.
   */
  readonly types?: readonly ValueType[] | undefined;
}

/**
 * Describes a type of your own for `msgpack`, `json` and `v8`, with types inferred from `class`.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` if a field is missing or of another type
 *
 * @example
 * ```ts
 * const url = valueType({ tag: "URL", class: URL, encode: (it) => it.href, decode: (href) => new URL(href) });
 * const serializer = msgpack({ types: [url] });
 * ```
 */
export function valueType<T, D>(type: ValueType<T, D>): ValueType<T, D> {
  checkType(type);
  return type;
}

/** The data that a type made of a value. */
export interface Typed {
  readonly tag: string;
  readonly data: unknown;
}

/** The checked types of one serializer. */
export class ValueTypes {
  readonly #byTag = new Map<string, ValueType>();
  readonly #byPrototype = new Map<unknown, ValueType>();
  readonly #tested: ValueType[] = [];

  private constructor(owner: string, types: readonly ValueType[]) {
    for (const type of types) {
      checkType(type);
      if (this.#byTag.has(type.tag))
        throw invalid(`${owner} has two types with the tag ${show(type.tag)}. Rename one.`);
      this.#byTag.set(type.tag, type);
      if (type.class === undefined) this.#tested.push(type);
      else if (this.#byPrototype.has(type.class.prototype)) {
        throw invalid(`${owner} has two types for the class of ${show(type.tag)}. Remove one.`);
      } else this.#byPrototype.set(type.class.prototype, type);
    }
  }

  /**
   * @param owner the serializer's name in messages, such as `msgpack()`
   * @returns `undefined` if there are no types
   * @throws ConfigurationError `CACHEME_INVALID_OPTION`
   */
  static of(owner: string, options: SerializerOptions | undefined): ValueTypes | undefined {
    const types: unknown = options?.types;
    if (types === undefined) return undefined;
    if (!Array.isArray(types))
      throw invalid(`The option types of ${owner} is not a list. Give a list of types.`);
    return types.length === 0 ? undefined : new ValueTypes(owner, types);
  }

  /**
   * Encodes the value if one of the types is its own.
   *
   * @throws SerializationError if the type's functions throw
   */
  encode(value: unknown, path: () => string): Typed | undefined {
    let tag: string | undefined;
    try {
      const type = this.#typeOf(value);
      tag = type?.tag;
      return type && { tag: type.tag, data: type.encode(value) };
    } catch (cause) {
      const of = tag === undefined ? "The test of a type" : `The type ${show(tag)}`;
      const reason = reasonOf(cause);
      throw new SerializationError(`${of} failed for the value at ${path()}: ${reason}`, path(), { cause });
    }
  }

  /**
   * @throws RangeError if no type has the tag
   * @throws the error of the type's `decode`
   */
  decode(tag: unknown, data: unknown): unknown {
    const type = this.#byTag.get(String(tag));
    if (type === undefined) throw new RangeError(`No type has the tag ${show(tag)}.`);
    return type.decode(data);
  }

  #typeOf(value: unknown): ValueType | undefined {
    const byClass =
      typeof value === "object" && value !== null
        ? this.#byPrototype.get(Object.getPrototypeOf(value))
        : undefined;
    return byClass ?? this.#tested.find((type) => type.test?.(value) === true);
  }
}

function checkType(type: Partial<ValueType> | null | undefined): void {
  if (typeof type !== "object" || type === null) throw invalid("A type of a serializer is not an object.");
  const { tag, class: ofClass, test, encode, decode } = type;
  if (typeof tag !== "string" || tag === "") {
    throw invalid(`A type of a serializer has the tag ${show(tag)}. Give a string that is not empty.`);
  }
  const refuse = (what: string) => invalid(`The type ${show(tag)} of a serializer ${what}`);
  if ((ofClass === undefined) === (test === undefined)) {
    throw refuse("must have either a class or a test.");
  }
  if (ofClass !== undefined) {
    const prototype: unknown = typeof ofClass === "function" ? ofClass.prototype : undefined;
    if (typeof prototype !== "object" || prototype === null)
      throw refuse("has a `class` that is not a class.");
    if (prototype === Object.prototype || prototype === Array.prototype) {
      throw refuse(
        "is for plain objects or arrays, which every serializer carries. Give a class of your own.",
      );
    }
  }
  if (test !== undefined && typeof test !== "function") throw refuse("has a `test` that is not a function.");
  if (typeof encode !== "function") throw refuse("has no function `encode`.");
  if (typeof decode !== "function") throw refuse("has no function `decode`.");
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : typeof value;
}

function invalid(message: string): ConfigurationError {
  return new ConfigurationError("CACHEME_INVALID_OPTION", message);
}
