import { lookup } from "node:dns";
import { connect } from "node:net";
import { runInNewContext, runInThisContext } from "node:vm";

/** Made once for all tests, because it takes long. */
const ofManyNames = Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`${i}x`, i]));

/** The values that come back for samples that do not come back as they are. */
const comesBack = new Map<unknown, unknown>();

export function expectedOf(sample: unknown): unknown {
  return comesBack.has(sample) ? comesBack.get(sample) : sample;
}

/**
 * Evaluates an expression in another realm. Its value comes back as the value of the expression in
 * this realm.
 */
function ofAnotherRealm(expression: string): unknown {
  const value = runInNewContext(expression);
  comesBack.set(value, runInThisContext(expression));
  return value;
}

/**
 * Makes an error of one of Node's hidden classes. It comes back as an error of the class that it
 * pretends to be.
 */
function ofNode(error: Error): Error {
  const claimed = error.constructor.prototype;
  let prototype = Object.getPrototypeOf(error);
  // Some have a toString that shows the code, which comes back too.
  while (prototype !== claimed && !Object.hasOwn(prototype, "toString"))
    prototype = Object.getPrototypeOf(prototype);
  comesBack.set(error, like(error, prototype));
  return error;
}

/**
 * Makes an object with the error's properties. Newer Nodes have the stack behind a getter, which
 * only works for errors.
 */
function like(error: Error, prototype: object): object {
  const object = Object.create(prototype);
  for (const key of Reflect.ownKeys(error)) {
    const enumerable = Object.prototype.propertyIsEnumerable.call(error, key);
    Object.defineProperty(object, key, { value: Reflect.get(error, key), enumerable, configurable: true });
  }
  return object;
}

function thrownBy(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error("It was to throw.");
}

const refusedConnection = await new Promise<Error>((resolve) =>
  connect({ port: 1, host: "127.0.0.1" }).once("error", resolve),
);
const refusedConnections = await new Promise<Error>((resolve) =>
  connect({
    port: 1,
    host: "two.example",
    autoSelectFamily: true,
    lookup: (_host, _options, done) =>
      done(null, [
        { address: "127.0.0.1", family: 4 },
        { address: "127.0.0.2", family: 4 },
      ]),
  }).once("error", resolve),
);
const unknownHost = await new Promise<Error>((resolve) =>
  lookup("no..name", (error) => resolve(error as Error)),
);

/** The values of each row of the table in docs/serializers.md. */
export const samples: Readonly<Record<string, () => readonly unknown[]>> = {
  "null, booleans": () => [null, true, false],
  "strings, with lone surrogates too": () => [
    "",
    "plain",
    "żółć 🦊",
    "a\ud800",
    { "\udc00": "\udfff\ud83d" },
    "\ufeffmark",
    `\ufeff${"long ".repeat(20)}`,
    { [`\ufeff${"k".repeat(80)}`]: [`\ufeff${"long ".repeat(20_000)}`] },
    "\0",
  ],
  "finite numbers, and -0": () => [
    0,
    -0,
    63,
    64,
    127,
    2 ** 31,
    -(2 ** 31) - 1,
    1.5,
    5e-324,
    Number.MAX_VALUE,
    [-0],
    { a: { b: -0 } },
  ],
  "NaN, Infinity, -Infinity": () => [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  "bigints, of any size": () => [
    0n,
    -1n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    2n ** 64n,
    -(2n ** 64n),
    3n ** 999n,
    -(3n ** 999n),
  ],
  "undefined as the whole value": () => [undefined],
  "undefined in an object or array": () => [{ a: undefined }, [undefined], [[1, undefined]]],
  "plain objects, with any names": () => [
    {},
    { a: { b: [{ c: 1 }] } },
    ...["__proto__", "constructor", "toJSON", "hasOwnProperty", "__keys__", "", "10", "odd key"].map((name) =>
      JSON.parse(`{"b": 1, ${JSON.stringify(name)}: {"x": 1}, "9": 2}`),
    ),
    // As rows: with more shapes than msgpackr gives numbers to,
    Array.from({ length: 300 }, (_, id) => ({ id, [`name${id % 130}`]: { [`inner${id % 97}`]: id } })),
    // and with the name under which msgpackr's tree of names keeps lists of them.
    Array.from({ length: 20 }, (_, id) => (id % 2 === 0 ? { __keys__: id } : {})),
    Array.from({ length: 20 }, (_, id) => ({
      id,
      name: `row ${id}`,
      ...(id % 3 === 0 ? { more: { id } } : { id2: id }),
    })),
  ],
  "plain objects of 65,536 names and more": () => [ofManyNames],
  "plain objects and arrays of another realm": () => [
    ofAnotherRealm("({ a: { b: [1, { c: null }] } })"),
    ofAnotherRealm("[1, [2, { a: 'text' }]]"),
    ofAnotherRealm("Array.from({ length: 20 }, (_, id) => ({ id, zero: -0 }))"),
  ],
  "objects that are frozen or sealed": () => [
    Object.freeze({ a: Object.freeze([1]) }),
    Object.seal({ a: 1 }),
  ],
  "objects without a prototype": () => [
    Object.create(null),
    Object.assign(Object.create(null), { a: 1, ["__proto__"]: 2 }),
  ],
  "objects with properties under symbols": () => [
    { [Symbol("s")]: 1 },
    Object.assign([1], { [Symbol.iterator]: undefined }),
  ],
  "objects with properties that are not enumerable": () => [
    Object.defineProperty({ a: 1 }, "b", { value: 2 }),
    arguments_(1, 2),
  ],
  arrays: () => [[], [1, "two", [3]], Array.from({ length: 70_000 }, (_, i) => i)],
  // biome-ignore lint/suspicious/noSparseArray: it is what the row is about.
  "arrays with holes": () => [[1, , 3], new Array(3), Object.assign([], { 4294967293: "far" })],
  "arrays with named properties": () => [
    Object.assign([1, 2], { total: 3 }),
    Object.assign(new Array(1), { asManyAsHoles: 1 }),
    "a-b".match(/\w-/),
  ],
  "Date, valid or not": () => [
    new Date(0),
    new Date(-1),
    new Date(1_700_000_000_123),
    new Date(8.64e15),
    new Date(-8.64e15),
    new Date(-62_135_596_800_001),
    new Date(2 ** 32 * 1_000),
    new Date(Number.NaN),
  ],
  RegExp: () => [/a/, /[/]\n(?<x>\d)/giu, /(?:)/],
  "RegExp with a lastIndex other than 0": () => [Object.assign(/a/g, { lastIndex: 2 })],
  "Map, Set": () => [
    new Map(),
    new Map<unknown, unknown>([
      [{ key: 1 }, new Set([1])],
      [Number.NaN, "x"],
      ["k", new Map([[1, 2]])],
    ]),
    new Set(),
    new Set([[1], "a", undefined]),
  ],
  "Buffer, Uint8Array": () => [
    Buffer.from("bytes"),
    new Uint8Array([1, 2, 255]),
    { a: new Uint8Array(0), b: Buffer.alloc(300, 7) },
  ],
  "other typed arrays, DataView": () => [
    new Int8Array([-1]),
    new Uint8ClampedArray([300]),
    new Int16Array([-300]),
    new Uint16Array([65_535]),
    new Int32Array([-1]),
    new Uint32Array([4_294_967_295]),
    new Float32Array([1.5, -0]),
    new Float64Array([Math.PI, Number.NaN]).subarray(1),
    new BigInt64Array([-1n]),
    new BigUint64Array([2n ** 64n - 1n]),
    new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2),
    ...float16(),
  ],
  ArrayBuffer: () => [new ArrayBuffer(0), new Uint8Array([1, 2, 3]).buffer],
  "SharedArrayBuffer, resizable ArrayBuffer, and views of them": () => [
    new SharedArrayBuffer(8),
    new Uint8Array(new SharedArrayBuffer(8)),
    resizable(),
    new Uint8Array(resizable()),
    new Float64Array(resizable()),
  ],
  "Error and the other standard classes but AggregateError, with message, stack and cause": () => [
    new Error("message"),
    new Error(),
    new TypeError("message", { cause: { code: 1 } }),
    new RangeError("a", { cause: new SyntaxError("b") }),
    new EvalError("a"),
    new ReferenceError("a"),
    new URIError("a"),
  ],
  "such an Error with more properties, such as code": () => [
    Object.assign(new Error("ENOENT"), { code: "ENOENT", errno: -2 }),
    Object.assign(new TypeError("x"), { name: "Renamed" }),
  ],
  AggregateError: () => [
    new AggregateError([new Error("a")]),
    new AggregateError([1, { a: new AggregateError([]) }], "message", { cause: "cause" }),
  ],
  "Node's own errors, such as ECONNREFUSED, ENOTFOUND or ERR_INVALID_URL": () => [
    ofNode(refusedConnection),
    ofNode(unknownHost),
    ofNode(thrownBy(() => Buffer.alloc("x" as never))),
    ofNode(thrownBy(() => Buffer.alloc(-1))),
    ofNode(thrownBy(() => new (process.getBuiltinModule("node:stream").Readable)()._read(1))),
    new TypeError("fetch failed", { cause: Object.assign(new Error("a"), { code: "ENOTFOUND" }) }),
    thrownBy(() => new URL("no address")),
    thrownBy(() => process.getBuiltinModule("node:fs").readFileSync("/no/such/file")),
  ],
  "an AggregateError of Node's own, for a host of several addresses": () => [aggregateOfNode()],
  DOMException: () => [
    new DOMException("message", "AbortError"),
    new DOMException(),
    new DOMException("m", { name: "Renamed", cause: { a: 1 } }),
    AbortSignal.abort().reason,
  ],
  "objects made by new Number, new String, new Boolean, Object(1n)": () => [
    Object(1),
    Object(-0),
    Object("text"),
    Object(false),
    Object(1n),
  ],
  "Date, RegExp, Map, Set with properties of their own": () => [
    Object.assign(new Date(0), { zone: "utc" }),
    Object.assign(/a/, { note: 1 }),
    Object.assign(new Map(), { note: 1 }),
    Object.assign(new Set(), { [Symbol("note")]: 1 }),
  ],
  "instances of classes, of subclasses of the built-in ones too": () => [
    new Money(1),
    new (class extends Array {})(),
    new (class extends Map {})(),
    new (class extends Date {})(0),
    new (class Failure extends Error {})("a"),
    new (class extends Uint8Array {})(2),
    Object.create({ inherited: 1 }),
    Object.create(Date.prototype),
    runInNewContext("new (class Foreign {})()"),
    runInNewContext("new (class Object {})()"),
  ],
  "functions, symbols": () => [
    () => 1,
    Money,
    Symbol("s"),
    Symbol.for("s"),
    { toJSON: () => ({}) },
    Object(Symbol("s")),
  ],
  "Date, RegExp, Map, Set, bytes and Errors of another realm": () => [
    ofAnotherRealm("new Date(5)"),
    ofAnotherRealm("/a/gi"),
    ofAnotherRealm("new Map([['a', new Set([1, [2]])]])"),
    ofAnotherRealm(
      "({ bytes: new Uint8Array([1, 2]), more: new Float64Array([1.5]), all: new ArrayBuffer(3) })",
    ),
    ofAnotherRealm(
      "[new TypeError('message', { cause: [1] })].map((e) => Object.defineProperty(e, 'stack', { value: 's' }))[0]",
    ),
  ],
  "Promise, WeakMap, WeakSet, WeakRef, generators, iterators, URL": () => [
    Promise.resolve(1),
    new WeakMap(),
    new WeakSet(),
    new WeakRef({}),
    (function* () {})(),
    [1].values(),
    new URL("https://example.com"),
  ],
  "values that contain themselves": () => [selfContaining(), mapOfItself()],
  "values nested more than 1,000 levels deep": () => [nested(1_200), nested(20_000)],
  "few objects, met again and again, that stand for over 4,000,000 values": () => [doubled(27)],
};

/** In Node since 24. */
function float16(): readonly unknown[] {
  const { Float16Array: made } = globalThis as { Float16Array?: new (values: number[]) => unknown };
  return made === undefined ? [] : [new made([1.5, -0, 65_504])];
}

class Money {
  constructor(readonly amount: number) {}
}

function arguments_(..._values: unknown[]): unknown {
  // biome-ignore lint/complexity/noArguments: an arguments object looks like a plain one.
  return arguments;
}

/** Its errors are also Node's own, and come back as Errors. */
function aggregateOfNode(): unknown {
  const { errors } = refusedConnections as AggregateError;
  const expected = like(refusedConnections, AggregateError.prototype);
  Object.defineProperty(expected, "errors", { value: errors.map((each) => expectedOf(ofNode(each))) });
  comesBack.set(refusedConnections, expected);
  return refusedConnections;
}

function resizable(): ArrayBuffer {
  return Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }]);
}

function selfContaining(): unknown {
  const a: Record<string, unknown> = { name: "a", list: [] };
  const b = { name: "b", a };
  a["b"] = b;
  (a["list"] as unknown[]).push(a, b);
  return a;
}

function mapOfItself(): unknown {
  const map = new Map<unknown, unknown>();
  map.set(map, new Set([map]));
  return [map];
}

function doubled(times: number): unknown {
  let value: unknown = ["leaf"];
  for (let time = 0; time < times; time++) value = [value, value];
  return value;
}

export function nested(levels: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { inner: value } : [value];
  return value;
}
