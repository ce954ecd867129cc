import type { Serializer } from "cacheme";
import type { Actor } from "./actor.js";

/**
 * The origin of a value. Events have numbers in their true order. A load's value is as old as its
 * beginning. A set's value becomes true at some moment between its call and its end, a saved one
 * while its source writes it.
 */
export interface Origin {
  readonly kind: "load" | "set" | "save";
  readonly key: number;
  readonly actor: Actor;
  /** The event of the load's beginning, or of the set's call. It is the value, too. */
  readonly born: number;
  /** The event from which on it may be true: `born`, or the beginning of the save in the source. */
  from: number;
  /** The event of the set's end; for a load, of its beginning. Infinity while the set runs. */
  ended: number;
  /** For a load, the sending of the request whose answer let it begin. Otherwise, as `born`. */
  readonly asOf: number;
  /** The latest time at which a storage could first have it: of the load's or the set's end. */
  storedAt: number | undefined;
  /** The time at which a server last stored it. */
  keptAt: number | undefined;
  /** The tags of the value. */
  readonly tags: readonly string[];
  /** Whether a server has ever stored it. */
  taken: boolean;
  /** Whether a server has refused it, because another process has taken the lease. */
  refused: boolean;
  /** The time at which an `expire` of its key was done; `undefined` if it came later. */
  expiredAt: number | undefined;
  /** The time at which its load failed; `undefined` if it has not. */
  failedAt: number | undefined;
  /** Whether the source has refused it. */
  isRefused: boolean;
  /** Whether a storage was in trouble when a reader first got it. */
  pastTrouble: boolean;
}

/** Events in their true order, and the values that were born. */
export class Origins {
  readonly #origins = new Map<number, Origin>();
  #events = 0;

  /** Returns the number of an event that happens now. */
  next(): number {
    this.#events += 1;
    return this.#events;
  }

  begin(kind: Origin["kind"], key: number, actor: Actor, tags: readonly string[]): Origin {
    const born = this.next();
    const asOf = kind === "load" ? Math.min(actor.lastAnswered(key), born) : born;
    const ended = kind === "load" ? born : Number.POSITIVE_INFINITY;
    const origin: Origin = {
      kind,
      key,
      actor,
      born,
      from: born,
      ended,
      asOf,
      storedAt: undefined,
      keptAt: undefined,
      tags,
      taken: false,
      refused: false,
      expiredAt: undefined,
      failedAt: undefined,
      isRefused: false,
      pastTrouble: false,
    };
    this.#origins.set(born, origin);
    return origin;
  }

  /** Returns the values of the key that servers have taken by now. */
  takenOf(key: number): Origin[] {
    const now = this.next();
    return [...this.#origins.values()].filter((one) => one.key === key && one.taken && one.ended < now);
  }

  of(value: unknown): Origin | undefined {
    return this.#origins.get(value as number); // Any other value is not found.
  }
}

/**
 * Returns whether the value is certainly older than an event in a process. The order of a set and
 * of another process's invalidation that run concurrently is the storage's.
 */
export function isOlder(origin: Origin, event: number, actor: Actor): boolean {
  return latestOf(origin, actor) < event;
}

/**
 * Returns the latest event at which the value may have become true, as a process knows it. A save
 * overtakes whatever began before its source has answered.
 */
export function latestOf({ kind, actor: owner, born, ended }: Origin, actor: Actor): number {
  return owner === actor && kind !== "save" ? born : ended;
}

/**
 * Carries numbers, so that each can be found in the bytes of a record, and strings: the text of an
 * error that is kept.
 */
export const serializer: Serializer = {
  codec: 64,
  encode: (value) => Buffer.from(typeof value === "string" ? `text ${value}` : `#${String(value)}#`),
  decode: (bytes) => numberIn(bytes) ?? /^text (.*)$/s.exec(Buffer.from(bytes).toString())?.[1],
};

/** Returns the value in a stored record or its payload, `undefined` if the bytes are no record. */
export function numberIn(bytes: Uint8Array): number | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const found = /#(\d+)#/.exec(text);
  return found === null ? undefined : Number(found[1]);
}
