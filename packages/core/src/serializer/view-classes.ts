import { types } from "node:util";

/** Makes a view of a whole buffer. */
export interface ViewConstructor {
  readonly prototype: ArrayBufferView;
  new (buffer: ArrayBuffer): ArrayBufferView;
}

/**
 * The kinds of views, in the order of their numbers in stored bytes. Add new ones only at the end.
 */
export const viewClasses: readonly ViewConstructor[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  ...float16(),
];

/**
 * Returns `Float16Array`, which is in Node since 24. An older Node cannot read an entry that holds
 * one: a miss.
 */
function float16(): readonly ViewConstructor[] {
  const { Float16Array: made } = globalThis as { readonly Float16Array?: ViewConstructor };
  return made === undefined ? [] : [made];
}

/**
 * Returns whether the bytes belong to this thread and cannot grow. `resizable` is older in Node
 * than in TypeScript's ES2023.
 */
export function isOrdinaryMemory(
  buffer: ArrayBufferLike & { readonly resizable?: boolean },
): buffer is ArrayBuffer {
  return types.isArrayBuffer(buffer) && buffer.resizable !== true;
}
