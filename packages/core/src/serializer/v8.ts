import { Deserializer, Serializer as Writer } from "node:v8";
import { ConfigurationError } from "../errors.js";
import { homePrototypeOf } from "./kind.js";
import { failure, refuseUncarried } from "./refusal.js";
import type { Serializer } from "./serializer.js";
import { viewClasses } from "./view-classes.js";

/**
 * Node's own structured clone: the values that `structuredClone` copies and that come back as they went in. It carries Dates,
 * Maps, Sets, RegExps, standard Errors, bytes, bigints, boxed primitives, and values that contain themselves; an object that is
 * met twice comes back as one. It refuses functions, symbols, instances of classes, and objects without a prototype. Slower and
 * larger than `msgpack()` for ordinary values; only programs in Node and Deno read it.
 *
 * @throws ConfigurationError `CACHEME_NOT_OFFERED` if the runtime has no such serializer: Bun 1.4 has none
 *
 * @example
 * ```ts
 * static override meta: NodeMeta = { caches: [{ storage: "redis", ttl: "1h" }], serializer: v8() };
 * ```
 */
export function v8(): Serializer {
  try {
    new Writer();
  } catch (cause) {
    // Otherwise each value would be refused when it is stored, and each read would load.
    throw new ConfigurationError(
      "CACHEME_NOT_OFFERED",
      "v8() needs the class Serializer of node:v8, which this runtime does not have. Use msgpack(), which carries nearly the same values.",
      { cause },
    );
  }
  return serializer;
}

const serializer: Serializer = Object.freeze({
  codec: 3,
  encode(value: unknown): Uint8Array {
    refuseUncarried(value, "v8");
    try {
      const writer = new ViewWriter();
      writer.writeHeader();
      writer.writeValue(value);
      return writer.releaseBuffer();
    } catch (error) {
      throw failure("v8", error);
    }
  },
  decode(bytes: Uint8Array): unknown {
    const reader = new ViewReader(bytes);
    reader.readHeader();
    return reader.readValue();
  },
});

/** Stands for Buffer among {@link viewClasses}, which has no room of its own there for it. */
const bufferNumber = 255;

/**
 * Views of bytes are written with the bytes that they show. V8 would write the whole memory that they stand in, which for a small
 * Buffer holds the Buffers of others.
 */
class ViewWriter extends Writer {
  /** Of Node since 8, and documented; its types do not have it. */
  declare readonly _setTreatArrayBufferViewsAsHostObjects: (treat: boolean) => void;

  constructor() {
    super();
    this._setTreatArrayBufferViewsAsHostObjects(true);
  }

  _writeHostObject(view: ArrayBufferView): void {
    const prototype = homePrototypeOf(view);
    const index = viewClasses.findIndex((viewClass) => viewClass.prototype === prototype);
    this.writeUint32(prototype === Buffer.prototype ? bufferNumber : index);
    this.writeUint32(view.byteLength);
    this.writeRawBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
}

class ViewReader extends Deserializer {
  _readHostObject(): ArrayBufferView {
    const viewClass = this.readUint32();
    // A copy: what was read from is part of somebody else's memory.
    const bytes = Uint8Array.from(this.readRawBytes(this.readUint32()));
    if (viewClass === bufferNumber) return Buffer.from(bytes.buffer);
    const made = viewClasses[viewClass];
    if (made === undefined) throw new RangeError(`No class of views has the number ${viewClass}.`);
    return new made(bytes.buffer);
  }
}
