import { type Duration, milliseconds } from "../../duration.js";
import { optionOf, type PolicyOwner } from "./refuse.js";

/** The option of classes whose values live as long as they are read. */
export interface IdlePolicy {
  /**
   * The time without a read after which a value is dropped. Each read restarts it, in every tier,
   * without writing the value again. An unread value may stay for a fifth of that time longer,
   * because a tier hears of only the first read in each tenth of it.
   *
   * A ttl still bounds the age of a value, however often it is read. A remote storage must be able
   * to keep an entry for longer (`touchMany`). Default: reads do not change how long a value is kept.
   */
  readonly idle?: Duration | undefined;
}

/** The idle time of a class. */
export interface IdleTime {
  /** Milliseconds for which a read keeps an entry: longer than asked, because tiers do not hear of every read. */
  readonly keptFor: number;
  /** The least time, in milliseconds, between two touches of a key in a tier. */
  readonly interval: number;
}

/**
 * The part of the idle time in which a tier hears of one read. A local tier may answer further reads
 * after that, and a local entry may be touched after the remote one. So each value is kept for two
 * such parts longer.
 */
const interval = 0.1;

/** Returns the checked option; `undefined` for a class without it. */
export function resolveIdle({ idle }: IdlePolicy, owner: PolicyOwner): IdleTime | undefined {
  if (idle === undefined) return undefined;
  const length = milliseconds(idle, ...optionOf("idle", owner));
  if (length < 1) owner.refuse(`has \`idle: ${JSON.stringify(idle)}\`: give at least a millisecond.`);
  return { keptFor: Math.ceil(length * (1 + 2 * interval)), interval: length * interval };
}
