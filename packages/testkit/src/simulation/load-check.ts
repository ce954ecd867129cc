import type { Actor, RunningLoad } from "./actor.js";

/** The most loads of one key in a process. */
const mostLoads = 2;

/** The events that allow another load of a key beside a running one. */
export interface Overtaking {
  /** The last set, refresh, read with options, or invalidation of the key in any process. */
  readonly overtaken: number;
  /** The last loss of data on any server. */
  readonly lost: number;
}

/** A value that every remote tier took last. */
export interface Kept {
  /** The events of its beginning, and of its storing. */
  readonly born: number;
  readonly storedAt: number;
  /** The true time until which each tier keeps it. */
  readonly until: number;
}

/**
 * Checks promise 1 when a load begins although a tier has a fresh value, and nothing has happened
 * since that value's load began. The clocks of the processes must not decide.
 *
 * @param kept the value that the servers took last
 * @param since the beginning of the oldest call that the load may serve
 * @returns the violation
 */
export function checkNeededLoad(
  actor: Actor,
  { key, since }: Pick<RunningLoad, "key" | "since">,
  kept: Kept | undefined,
  { overtaken, lost }: Overtaking,
  now: number,
): string | undefined {
  if (kept === undefined || actor.troubleOf(key) > 0 || now >= kept.until) return undefined;
  if (since <= kept.storedAt || Math.max(overtaken, lost) >= kept.born) return undefined;
  return `a load begins in ${actor.name} although the value ${kept.born} is fresh`;
}

/**
 * Checks promise 1 when a load begins. A process never has more than two loads of a key. If leases
 * are on, no other process loads the key meanwhile. Exceptions are a load that something overtook,
 * a process that could not reach a storage, and a lease that may have ended.
 *
 * @param lease the length of leases in milliseconds, `undefined` if they are off
 * @returns the violation
 */
export function checkNewLoad(
  actor: Actor,
  load: RunningLoad,
  others: Iterable<Actor>,
  { overtaken, lost }: Overtaking,
  lease: number | undefined,
  now: number,
): string | undefined {
  const { key } = load;
  const own = [...actor.loads].filter((running) => running.key === key).length;
  if (own >= mostLoads) return `a load begins in ${actor.name} while ${own} others run there`;
  if (lease === undefined || actor.troubleOf(key) > 0) return undefined;
  for (const other of others) {
    if (other === actor || other.process.isDead || other.troubleOf(key) > 0) continue;
    for (const running of other.loads) {
      if (running.key !== key) continue;
      const since = Math.min(running.since, load.since);
      if (Math.max(overtaken, lost) >= since || now - Math.min(running.sinceTime, load.sinceTime) >= lease)
        continue;
      return `a load begins in ${actor.name} beside load ${running.born} of ${other.name}, which holds the lease`;
    }
  }
  return undefined;
}
