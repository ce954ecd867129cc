import { ConfigurationError } from "../errors.js";
import { type Copies, copyValue } from "./copy.js";
import { homePrototypeOf } from "./kind.js";
import { failure, refuseUncarried } from "./refusal.js";
import type { Serializer } from "./serializer.js";
import { type SerializerOptions, type Typed, ValueTypes } from "./value-type.js";
import { viewClasses } from "./view-classes.js";

/**
 * Makes a serializer of Node's own structured clone. It carries the values that `structuredClone`
 * copies and that come back as they went in. These are Dates, Maps, Sets, RegExps, standard Errors,
 * bytes, bigints, boxed primitives, and values that contain themselves. An object that is met twice
 * comes back as one. It refuses functions, symbols, instances of classes unless `types` names them,
 * and objects without a prototype. It is slower and larger than `msgpack()` for ordinary values.
 * Only programs in Node and Deno can read it.
 *
 * @throws ConfigurationError `CACHEME_NOT_OFFERED` if the runtime has no such serializer: Bun 1.4
 *   has none
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for invalid types, or two of one tag or class
 *
 * @example
 * ```ts
 * static override meta: NodeMeta = { name: "user", caches: [{ storage: "redis", ttl: "1h" }], serializer: v8() };
 * ```
 */
export function v8(options?: SerializerOptions): Serializer {
  const types = ValueTypes.of("v8()", options);
  try {
    new (codecs().ViewWriter)();
  } catch (cause) {
    // Otherwise each value would be refused when it is stored, and each read would load.
    throw new ConfigurationError(
      "CACHEME_NOT_OFFERED",
      "v8() needs the class Serializer of node:v8, which this runtime does not have. Use msgpack(), which carries nearly the same values.",
      { cause },
    );
  }
  return types === undefined ? untyped : serializerOf(types);
}

function serializerOf(types: ValueTypes | undefined): Serializer {
  return Object.freeze({
    codec: 3,
    encode(value: unknown): Uint8Array {
      const typed = refuseUncarried(value, "v8", types);
      try {
        const writer = new (codecs().ViewWriter)();
        writer.writeHeader();
        writer.writeValue(typed.size === 0 ? value : withMarks(value, typed));
        return writer.releaseBuffer();
      } catch (error) {
        throw failure("v8", error);
      }
    },
    decode(bytes: Uint8Array): unknown {
      const reader = new (codecs().ViewReader)(bytes);
      reader.types = types;
      reader.readHeader();
      return reader.readValue();
    },
  });
}

const untyped = serializerOf(undefined);

/**
 * Stands for a value of a user's type in V8's bytes. V8 only lets us choose how views are written,
 * not other objects.
 */
class TypedMark extends Uint8Array {
  constructor(
    readonly tag: string,
    readonly data: unknown,
  ) {
    super(0);
  }
}

/**
 * Returns a copy of the value with marks for the values of users' types. The values that a type's
 * data refers to are marked first.
 */
function withMarks(root: unknown, typed: ReadonlyMap<unknown, Typed>): unknown {
  const copies: Copies = new Map();
  for (const [value, { tag, data }] of typed) {
    copies.set(value, new TypedMark(tag, copyValue(data, copies)));
  }
  return copyValue(root, copies);
}

/** Stands for Buffer among {@link viewClasses}, which has no number for it. */
const bufferNumber = 255;
/** The number of values of users' types. The tag follows, then the data as a value. */
const typedNumber = 254;

/**
 * Returns the classes that write and read. They are made at their first use, because `node:v8`
 * takes one to two milliseconds to load.
 */
function codecs(): ReturnType<typeof makeCodecs> {
  made ??= makeCodecs();
  return made;
}

let made: ReturnType<typeof makeCodecs> | undefined;

function makeCodecs() {
  const { Deserializer, Serializer: Writer } = process.getBuiltinModule("node:v8");

  /**
   * Writes views with the bytes that they show. V8 would write the whole memory below them, and the
   * memory of a small Buffer also holds other Buffers.
   */
  class ViewWriter extends Writer {
    /** Node has and documents this method since version 8; its types do not have it. */
    declare readonly _setTreatArrayBufferViewsAsHostObjects: (treat: boolean) => void;

    constructor() {
      super();
      this._setTreatArrayBufferViewsAsHostObjects(true);
    }

    _writeHostObject(view: ArrayBufferView): void {
      if (view instanceof TypedMark) {
        const tag = Buffer.from(view.tag, "utf16le");
        this.writeUint32(typedNumber);
        this.writeUint32(tag.length);
        this.writeRawBytes(tag);
        this.writeValue(view.data);
        return;
      }
      const prototype = homePrototypeOf(view);
      const index = viewClasses.findIndex((viewClass) => viewClass.prototype === prototype);
      this.writeUint32(prototype === Buffer.prototype ? bufferNumber : index);
      this.writeUint32(view.byteLength);
      this.writeRawBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    }
  }

  class ViewReader extends Deserializer {
    types: ValueTypes | undefined;

    _readHostObject(): unknown {
      const viewClass = this.readUint32();
      if (viewClass === typedNumber) {
        const tag = Buffer.from(this.readRawBytes(this.readUint32())).toString("utf16le");
        if (this.types === undefined) throw new RangeError("The serializer has no types, and the value has.");
        return this.types.decode(tag, this.readValue());
      }
      // A copy, because the bytes are part of foreign memory.
      const bytes = Uint8Array.from(this.readRawBytes(this.readUint32()));
      if (viewClass === bufferNumber) return Buffer.from(bytes.buffer);
      const viewed = viewClasses[viewClass];
      if (viewed === undefined) throw new RangeError(`No class of views has the number ${viewClass}.`);
      return new viewed(bytes.buffer);
    }
  }

  return { ViewReader, ViewWriter };
}
