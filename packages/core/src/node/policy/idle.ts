import { type Duration, milliseconds } from "../../duration.js";
import { optionOf, type PolicyOwner } from "./refuse.js";

/** The option of classes whose values live as long as they are read. */
export interface IdlePolicy {
  /**
   * The time without a read after which a value is dropped. Each read restarts it, in every tier,
   * without writing the value again. An unread value may stay for a fifth of that time longer,
   * because only the first read of each tenth of it is told to the tiers.
   *
   * A ttl still bounds the age of a value, however often it is read. A remote storage must be able
   * to keep an entry for longer (`touchMany`). Default: reads do not change how long a value is kept.
   */
  readonly idle?: Duration | undefined;
}

/** The idle time of a class. */
export interface IdleTime {
  /** Milliseconds for which a read keeps an entry: longer than asked, for reads that are not told. */
  readonly keptFor: number;
  /** The least milliseconds between two reads of a key that are told to a tier. */
  readonly interval: number;
}

/**
 * The part of the idle time in which one read is told. A value may have been read from a local tier
 * after that, and that tier's entry after the remote one was touched. So it is kept for two such
 * parts longer.
 */
const interval = 0.1;

/** Returns the checked option; `undefined` for a class without it. */
export function resolveIdle({ idle }: IdlePolicy, owner: PolicyOwner): IdleTime | undefined {
  if (idle === undefined) return undefined;
  const length = milliseconds(idle, ...optionOf("idle", owner));
  if (length < 1) owner.refuse(`has \`idle: ${JSON.stringify(idle)}\`: give at least a millisecond.`);
  return { keptFor: Math.ceil(length * (1 + 2 * interval)), interval: length * interval };
}
