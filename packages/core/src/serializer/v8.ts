import { ConfigurationError } from "../errors.js";
import { type Copies, copyValue } from "./copy.js";
import { homePrototypeOf } from "./kind.js";
import { failure, refuseUncarried } from "./refusal.js";
import type { Serializer } from "./serializer.js";
import { type SerializerOptions, type Typed, ValueTypes } from "./value-type.js";
import { viewClasses } from "./view-classes.js";

/**
 * Node's own structured clone: the values that `structuredClone` copies and that come back as they went in. It carries Dates,
 * Maps, Sets, RegExps, standard Errors, bytes, bigints, boxed primitives, and values that contain themselves; an object that is
 * met twice comes back as one. It refuses functions, symbols, instances of classes unless `types` names them, and objects without
 * a prototype. Slower and larger than `msgpack()` for ordinary values; only programs in Node and Deno read it.
 *
 * @throws ConfigurationError `CACHEME_NOT_OFFERED` if the runtime has no such serializer: Bun 1.4 has none
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for types that are not valid, or two of one tag or class
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

/** Stands for a value of a user's type in what V8 writes: of views V8 lets us write what we like, of no other object. */
class TypedMark extends Uint8Array {
  constructor(
    readonly tag: string,
    readonly data: unknown,
  ) {
    super(0);
  }
}

/** A copy of the value with marks for the values of users' types. Those that a type's data leads to are marked before it. */
function withMarks(root: unknown, typed: ReadonlyMap<unknown, Typed>): unknown {
  const copies: Copies = new Map();
  for (const [value, { tag, data }] of typed) {
    copies.set(value, new TypedMark(tag, copyValue(data, copies)));
  }
  return copyValue(root, copies);
}

/** Stands for Buffer among {@link viewClasses}, which has no room of its own there for it. */
const bufferNumber = 255;
/** The number of values of users' types: the tag follows, then the data as a value. */
const typedNumber = 254;

/** The classes that write and read, made when they are first used: `node:v8` takes one to two milliseconds to load. */
function codecs(): ReturnType<typeof makeCodecs> {
  made ??= makeCodecs();
  return made;
}

let made: ReturnType<typeof makeCodecs> | undefined;

function makeCodecs() {
  const { Deserializer, Serializer: Writer } = process.getBuiltinModule("node:v8");

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
      // A copy: what was read from is part of somebody else's memory.
      const bytes = Uint8Array.from(this.readRawBytes(this.readUint32()));
      if (viewClass === bufferNumber) return Buffer.from(bytes.buffer);
      const viewed = viewClasses[viewClass];
      if (viewed === undefined) throw new RangeError(`No class of views has the number ${viewClass}.`);
      return new viewed(bytes.buffer);
    }
  }

  return { ViewReader, ViewWriter };
}
