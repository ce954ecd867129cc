import { type Clock, systemClock } from "../clock.js";
import type {
  ClaimRequest,
  FailedClaim,
  Journal,
  JournalClaim,
  JournalCount,
  JournalDeadLetter,
  JournalRecord,
} from "./journal.js";

interface Kept {
  record: JournalRecord;
  version: number;
  attempts: number;
  due: number;
  /** The claim under way, perhaps of an older version. */
  claim: { readonly token: string; until: number } | undefined;
  /** Why and when it became a dead letter. */
  dead: { readonly reason: string; readonly at: number } | undefined;
}

/** The records of a {@link memoryJournal}. It works at once, so a simulation can share it. */
export class JournalTable {
  readonly #records = new Map<string, Kept>();
  readonly #now: () => number;
  #tokens = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  append(records: readonly JournalRecord[], delay: number): void {
    const due = this.#now() + delay;
    for (const record of records) {
      const kept = this.#records.get(record.key);
      if (kept === undefined) {
        const one: Kept = { record, version: 1, attempts: 0, due, claim: undefined, dead: undefined };
        this.#records.set(record.key, one);
        continue;
      }
      kept.due = Math.min(kept.due, due);
      kept.record = record;
      kept.version += 1;
      kept.attempts = 0;
      kept.dead = undefined;
    }
  }

  claim({ nodes, count, duration, ahead }: ClaimRequest): JournalClaim[] {
    const now = this.#now();
    const known = new Set(nodes);
    const claims: JournalClaim[] = [];
    // The order of the map is that of the first appends, and so, about, that of being due.
    for (const kept of this.#records.values()) {
      if (claims.length === count) break;
      const { record, claim, dead, due, version, attempts } = kept;
      const isDue = claim === undefined ? due <= now + (attempts === 0 ? ahead : 0) : claim.until <= now;
      if (dead !== undefined || !isDue || !known.has(record.node)) continue;
      this.#tokens += 1;
      const token = `${this.#tokens}`;
      kept.claim = { token, until: now + duration };
      kept.due = Number.POSITIVE_INFINITY;
      claims.push({ ...record, version, attempts, token });
    }
    return claims;
  }

  extend(claims: readonly JournalClaim[], duration: number): void {
    for (const claim of claims) {
      const own = this.#own(claim)?.claim;
      if (own !== undefined) own.until = this.#now() + duration;
    }
  }

  complete(claims: readonly JournalClaim[]): void {
    for (const claim of claims) {
      const kept = this.#own(claim);
      if (kept === undefined) continue;
      if (kept.version === claim.version) this.#records.delete(claim.key);
      else this.#free(kept);
    }
  }

  fail(failures: readonly FailedClaim[]): void {
    for (const { claim, reason, delay } of failures) {
      const kept = this.#own(claim);
      if (kept === undefined) continue;
      this.#free(kept);
      if (kept.version !== claim.version) continue;
      kept.attempts += 1;
      if (delay === undefined) kept.dead = { reason, at: this.#now() };
      else kept.due = this.#now() + delay;
    }
  }

  read(keys: readonly string[]): (Uint8Array | undefined)[] {
    return keys.map((key) => {
      const kept = this.#records.get(key);
      return kept?.dead === undefined ? kept?.record.bytes : undefined;
    });
  }

  counts(): JournalCount[] {
    const counts = new Map<string, { unsaved: number; deadLetters: number }>();
    for (const { record, dead } of this.#records.values()) {
      const count = counts.get(record.node) ?? { unsaved: 0, deadLetters: 0 };
      counts.set(record.node, count);
      if (dead === undefined) count.unsaved += 1;
      else count.deadLetters += 1;
    }
    return Array.from(counts, ([node, count]) => ({ node, ...count }));
  }

  deadLetters(limit: number): JournalDeadLetter[] {
    return [...this.#records.values()]
      .flatMap(({ record, attempts, dead }) => (dead === undefined ? [] : [{ ...record, attempts, ...dead }]))
      .sort((one, other) => one.at - other.at)
      .slice(0, limit);
  }

  requeue(keys: readonly string[]): number {
    return this.#eachDead(keys, (kept) => {
      kept.dead = undefined;
      kept.attempts = 0;
      kept.due = this.#now();
    });
  }

  drop(keys: readonly string[]): number {
    return this.#eachDead(keys, (kept) => this.#records.delete(kept.record.key));
  }

  #eachDead(keys: readonly string[], act: (kept: Kept) => void): number {
    const dead = keys.flatMap((key) => {
      const kept = this.#records.get(key);
      return kept?.dead === undefined ? [] : [kept];
    });
    for (const kept of dead) act(kept);
    return dead.length;
  }

  #own({ key, token }: JournalClaim): Kept | undefined {
    const kept = this.#records.get(key);
    return kept?.claim?.token === token ? kept : undefined;
  }

  /** Ends the claim, behind the records that wait. */
  #free(kept: Kept): void {
    kept.claim = undefined;
    this.#records.delete(kept.record.key);
    this.#records.set(kept.record.key, kept);
  }
}

class MemoryJournal implements Journal {
  readonly label = "memoryJournal()";
  readonly isDurable = false;
  readonly isShared = false;
  #clock: Clock = systemClock;
  // Values stay when another space uses the journal, after the first one was closed.
  readonly #table = new JournalTable(() => this.#clock.now());

  async connect(clock: Clock): Promise<void> {
    this.#clock = clock;
  }

  async append(records: readonly JournalRecord[], delay: number): Promise<void> {
    this.#table.append(records, delay);
  }

  async claim(request: ClaimRequest): Promise<readonly JournalClaim[]> {
    return this.#table.claim(request);
  }

  async extend(claims: readonly JournalClaim[], duration: number): Promise<void> {
    this.#table.extend(claims, duration);
  }

  async complete(claims: readonly JournalClaim[]): Promise<void> {
    this.#table.complete(claims);
  }

  async fail(failures: readonly FailedClaim[]): Promise<void> {
    this.#table.fail(failures);
  }

  async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#table.read(keys);
  }

  async counts(): Promise<readonly JournalCount[]> {
    return this.#table.counts();
  }

  async deadLetters(limit: number): Promise<readonly JournalDeadLetter[]> {
    return this.#table.deadLetters(limit);
  }

  async requeue(keys: readonly string[]): Promise<number> {
    return this.#table.requeue(keys);
  }

  async drop(keys: readonly string[]): Promise<number> {
    return this.#table.drop(keys);
  }

  async close(): Promise<void> {}
}

/**
 * A journal in the memory of this process. **It is lost with the process**: a crash loses each value
 * that was saved and is not in its source yet. For tests, and for values that may be lost.
 *
 * @example
 * ```ts
 * await registerJournal("writes", memoryJournal());
 * ```
 */
export function memoryJournal(): Journal {
  return new MemoryJournal();
}
