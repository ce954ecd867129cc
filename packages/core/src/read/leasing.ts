import type { CancelTimer, Clock } from "../clock.js";
import { isAhead } from "../runtime/awaited.js";
import { FillRights } from "../runtime/fill-rights.js";
import type { Flight } from "../runtime/flight.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import type { LeaseAnswer } from "../storage/leases.js";
import type { LeaseAcquisition } from "../tiers/lease-batch.js";
import { LeaseRenewals } from "./lease-renewals.js";
import type { FoundRecord, RemoteTiers } from "./remote-tiers.js";

/** The first and the longest pause of a reader that waits for another process's lease, in milliseconds. */
const firstPause = 10;
const longestPause = 200;

/** The number of values in a row that cannot be used, after which the flight loads without a lease. */
const mostUseless = 3;

/** The request of one flight for the lease of one tier. */
export interface Acquiring {
  readonly flight: Flight;
  readonly tier: RemoteTier;
  /** The bytes that the flight has read there and cannot use. */
  readonly seen?: Uint8Array | undefined;
  /** Whether to take the lease from any holder. */
  readonly steal?: boolean;
  /** Whether the tier may answer with a replaced value, so that its value does not count. */
  readonly distrusts?: boolean;
  /**
   * Called when the flight has the lease, or goes on without it. If a value has arrived meanwhile,
   * called with that one.
   */
  readonly done: (found: FoundRecord | undefined) => void;
}

/**
 * Acquires the leases by which flights fill remote tiers. While another process holds a lease, a
 * flight waits for the value, and asks again after growing pauses. It waits for the length of a
 * lease at most.
 */
export class Leasing {
  readonly #clock: Clock;
  readonly #remoteTiers: RemoteTiers;
  readonly #random: () => number;
  readonly #renewals: LeaseRenewals;

  constructor(clock: Clock, remoteTiers: RemoteTiers, random: () => number = Math.random) {
    this.#clock = clock;
    this.#remoteTiers = remoteTiers;
    this.#random = random;
    this.#renewals = new LeaseRenewals(clock);
  }

  /** Returns whether the flight needs a lease to fill the tier. */
  needs({ runtime }: Flight, tier: RemoteTier): boolean {
    return runtime.meta.lease !== undefined && tier.storage.leases.isSupported;
  }

  /**
   * Acquires the lease of a tier in which the flight has found nothing.
   *
   * @param done called with a value that has arrived meanwhile, if there is one
   */
  acquire(acquiring: Acquiring): void {
    const { flight, tier } = acquiring;
    flight.state = "acquiring";
    flight.rights ??= new FillRights(flight.storageKey);
    tier.storage.leases.acquire(new Acquisition(acquiring, this.#clock, this.#random, this.#remoteTiers));
  }

  /** Does without the lease of a tier that could not be read. */
  skip(flight: Flight, tier: RemoteTier): void {
    if (!this.needs(flight, tier)) return;
    flight.rights ??= new FillRights(flight.storageKey);
    flight.rights.add(tier, "unreachable");
  }

  /**
   * Takes the leases of all tiers from any holder, because the flight's load is newer than what the
   * tiers store.
   */
  takeAll(flight: Flight, done: () => void): void {
    const tiers = flight.runtime.remoteTiers.filter((tier) => this.needs(flight, tier));
    let waiting = tiers.length;
    if (waiting === 0) {
      done();
      return;
    }
    flight.mustReadAgain = false;
    flight.reads += 1;
    const acquired = () => {
      waiting -= 1;
      if (waiting === 0) done();
    };
    for (const tier of tiers) this.acquire({ flight, tier, steal: true, done: acquired });
  }

  /** Keeps the flight's leases until {@link ended} is called, because its load has begun. */
  begun(flight: Flight): void {
    this.#renewals.add(flight);
  }

  ended(flight: Flight): void {
    this.#renewals.remove(flight);
  }

  /** Gives the leases of all running loads back, so that no other process waits for them. */
  close(): void {
    this.#renewals.close();
  }
}

class Acquisition implements LeaseAcquisition {
  readonly #acquiring: Acquiring;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #remoteTiers: RemoteTiers;
  readonly duration: number;
  seen: Uint8Array | undefined;
  #useless = 0;
  #pause = firstPause;
  /** The time when it was first held, as {@link Clock.elapsed} measures. */
  #since: number | undefined;
  #cancel: CancelTimer | undefined;

  constructor(acquiring: Acquiring, clock: Clock, random: () => number, remoteTiers: RemoteTiers) {
    this.#acquiring = acquiring;
    this.duration = acquiring.flight.runtime.meta.lease ?? 0;
    this.seen = acquiring.seen;
    this.#clock = clock;
    this.#random = random;
    this.#remoteTiers = remoteTiers;
  }

  get storageKey(): string {
    return this.#acquiring.flight.storageKey;
  }

  get isBulk(): boolean {
    return this.#acquiring.flight.isBulk;
  }

  get steal(): boolean {
    return this.#acquiring.steal ?? false;
  }

  acquired(answer: LeaseAnswer | undefined, _trouble: Error | undefined): void {
    const { flight, tier, distrusts, done } = this.#acquiring;
    if (answer === undefined) flight.rights?.add(tier, "unreachable");
    else if (answer.outcome === "granted") flight.rights?.add(tier, answer);
    else if (flight.mustReadAgain) flight.rights?.add(tier, "held");
    else if (answer.outcome === "held") {
      this.#wait();
      return;
    } else if (distrusts === true) {
      // The value may be an old one, so the load needs the lease to replace it.
      this.#skip(answer.bytes);
      return;
    } else {
      const { bytes } = answer;
      this.#remoteTiers.arrived(flight, tier, bytes, (found) => {
        if (found === undefined) this.#skip(bytes);
        else done(found);
      });
      return;
    }
    done(undefined);
  }

  /** Asks again, for bytes that cannot be used count as stale. */
  #skip(bytes: Uint8Array): void {
    const { flight, tier, done } = this.#acquiring;
    this.seen = bytes;
    this.#useless += 1;
    if (this.#useless < mostUseless) tier.storage.leases.acquire(this);
    else {
      flight.rights?.add(tier, "held");
      done(undefined);
    }
  }

  #wait(): void {
    const { flight } = this.#acquiring;
    this.#since ??= this.#clock.elapsed();
    const left = this.duration - (this.#clock.elapsed() - this.#since);
    if (left <= 0 || isAhead(flight)) {
      this.#giveUp();
      return;
    }
    const pause = Math.min(this.#pause * (0.5 + this.#random() / 2), left);
    this.#pause = Math.min(this.#pause * 2, longestPause);
    flight.wake = () => {
      this.#cancel?.();
      this.#giveUp();
    };
    // If a reader waits, its deadline keeps the program alive.
    const keepsAlive = flight.revalidates === undefined;
    this.#cancel = this.#clock.schedule(() => this.#askAgain(), pause, { keepsAlive });
  }

  #askAgain(): void {
    const { flight, tier } = this.#acquiring;
    flight.wake = undefined;
    tier.storage.leases.acquire(this);
  }

  #giveUp(): void {
    const { flight, tier, done } = this.#acquiring;
    flight.wake = undefined;
    flight.rights?.add(tier, "held");
    done(undefined);
  }
}
