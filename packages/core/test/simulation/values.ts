import { SerializationError, type Serializer } from "../../src/index.js";

/**
 * The origin of a value. Its number is its birth: a load's is drawn when it begins, a set's at the
 * call. The source counts as changing all the time, so the value with the greater number is the
 * newer one.
 */
export interface Origin {
  readonly kind: "load" | "set";
  readonly key: number;
  readonly born: number;
  /**
   * The earliest time, on the clock, at which a storage could have it. It is the load's end, or the
   * set's call.
   */
  storedAt: number | undefined;
  /** Whether the serializer carries it. */
  carriable: boolean;
  /** Whether a remote tier has ever held it. */
  taken: boolean;
  /** Whether a tier was in trouble when a reader first got it. */
  pastTrouble: boolean;
  /** Whether its set has settled. */
  settled: boolean;
}

/** Births, and the values that were born. */
export class Values {
  readonly #origins = new Map<number, Origin>();
  #births = 0;

  /** Returns the number of an operation that begins now. */
  born(): number {
    this.#births += 1;
    return this.#births;
  }

  begin(kind: Origin["kind"], key: number, storedAt?: number): Origin {
    const born = this.born();
    const origin: Origin = {
      kind,
      key,
      born,
      storedAt,
      carriable: true,
      taken: false,
      pastTrouble: false,
      settled: false,
    };
    this.#origins.set(born, origin);
    return origin;
  }

  of(value: unknown): Origin | undefined {
    return this.#origins.get(value as number);
  }

  /**
   * Makes a serializer that carries every number except the marked ones. The number can be found in
   * any envelope.
   */
  serializer(): Serializer {
    return {
      codec: 64,
      encode: (value) => {
        if (this.of(value)?.carriable === false) {
          throw new SerializationError("The value is not for bytes.", "$");
        }
        return Buffer.from(`#${value}#`);
      },
      decode: (bytes) => numberIn(bytes),
    };
  }
}

/** Returns the value in a stored record, or in its payload. */
export function numberIn(bytes: Uint8Array): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const found = /#(\d+)#/.exec(text);
  if (found === null) throw new Error("The record holds no value of the simulation.");
  return Number(found[1]);
}
