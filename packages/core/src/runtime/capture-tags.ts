import type { Clock } from "../clock.js";
import type { OperationTags } from "../tags/operation-tags.js";
import type { Flight } from "./flight.js";
import type { NodeKind, RemoteTier } from "./node-kind.js";

/** A generation is kept for at least this long, in milliseconds, because tags outlive entries. */
const shortestLife = 24 * 60 * 60_000;

/** The tags to capture, and the tiers in whose storages. */
export interface Capturing {
  readonly kind: NodeKind;
  readonly tagged: OperationTags;
  readonly tiers: readonly RemoteTier[];
  readonly clock: Clock;
}

/** A flight whose load has told tags. */
export interface ToldCapturing extends Pick<Capturing, "tagged" | "tiers"> {
  readonly flight: Flight;
}

/** A tier whose storage did not tell the generations. */
export interface UncapturedTier {
  readonly tier: RemoteTier;
  readonly error: Error;
}

/**
 * Captures the generations of the tags that are known before the value. Makes those that are
 * missing, and renews those that would end before the value. Calls back at once if there are none.
 *
 * @param done gets the tiers that must not store the value
 */
export function captureOwn(
  { kind, tagged, tiers, clock }: Capturing,
  done: (uncaptured: readonly UncapturedTier[]) => void,
): void {
  const neededUntil = clock.now() + longestLife(kind);
  const answers = new Answers(done);
  for (const tier of tiers) {
    const { storage } = tier;
    const missing = tagged.missingIn(storage, neededUntil);
    if (missing.length === 0) continue;
    const answered = answers.expect(tier);
    storage.generations.ensure(missing, lifeOf(kind), (error) => {
      if (error === undefined) tagged.capture(storage);
      answered(tagged.in(storage) === undefined ? error : undefined);
    });
  }
  answers.end();
}

/**
 * Does the same for the tags that only the loaded value has told. A generation counts if it is
 * older than the lease of the load. Otherwise it may hide an invalidation during the load.
 */
export function captureTold({ flight, tagged, tiers }: ToldCapturing, done: () => void): void {
  const { kind } = flight.runtime;
  const answers = new Answers(done);
  if (tagged.told.length > 0) {
    for (const tier of tiers) {
      const { storage } = tier;
      const answered = answers.expect(tier);
      storage.generations.ensure(tagged.told, lifeOf(kind), (error) => {
        if (error === undefined) tagged.captureTold(storage, grantedAt(flight, tier));
        answered(error);
      });
    }
  }
  answers.end();
}

/** Returns the storage's time when it granted the flight's lease of the tier. */
function grantedAt({ rights }: Flight, tier: RemoteTier): number | undefined {
  const right = rights?.of(tier);
  return typeof right === "object" ? right.at : undefined;
}

/** Calls back when all expected answers are there. */
class Answers {
  readonly #done: (uncaptured: readonly UncapturedTier[]) => void;
  readonly #uncaptured: UncapturedTier[] = [];
  #waiting = 1;

  constructor(done: (uncaptured: readonly UncapturedTier[]) => void) {
    this.#done = done;
  }

  expect(tier: RemoteTier): (error: Error | undefined) => void {
    this.#waiting += 1;
    return (error) => {
      if (error !== undefined) this.#uncaptured.push({ tier, error });
      this.end();
    };
  }

  end(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#done(this.#uncaptured);
  }
}

/** Returns how long the kind's remote tiers keep an entry; `Infinity` if one has no ttl. */
function longestLife({ remoteTiers, meta }: NodeKind): number {
  return Math.max(0, ...remoteTiers.map(({ ttl }) => ttl)) + meta.heldFor;
}

/** Returns how long a storage keeps a generation, so that few loads have to renew it. */
function lifeOf(kind: NodeKind): number | undefined {
  const life = Math.max(shortestLife, 2 * longestLife(kind));
  return life === Number.POSITIVE_INFINITY ? undefined : life;
}
