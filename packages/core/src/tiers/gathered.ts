import { type Lanes, type PartBounds, partsOf } from "./parts.js";
import type { Tick } from "./tick.js";

/** A request for one key of a remote storage. */
interface Keyed {
  readonly storageKey: string;
}

/**
 * The requests of one kind that a tick gathers for a storage. They leave together. If several ask
 * for one key, each leaves after the one before it was answered.
 */
export class Gathered<R extends Keyed> {
  readonly #tick: Tick;
  readonly #lanes: Lanes;
  readonly #bounds: PartBounds;
  readonly #send: (requests: readonly R[]) => Promise<void>;
  readonly #sent: (batch: Promise<void>) => void;
  #requests: R[] = [];

  /**
   * @param send sends one part, and answers each of its requests; never rejects
   * @param sent called with each batch when it leaves
   */
  constructor(
    tick: Tick,
    lanes: Lanes,
    bounds: PartBounds,
    send: (requests: readonly R[]) => Promise<void>,
    sent: (batch: Promise<void>) => void,
  ) {
    this.#tick = tick;
    this.#lanes = lanes;
    this.#bounds = bounds;
    this.#send = send;
    this.#sent = sent;
  }

  add(request: R): void {
    if (this.#requests.push(request) === 1) this.#tick.add(() => this.#sent(this.#sendAll()));
  }

  async #sendAll(): Promise<void> {
    let requests: readonly R[] = this.#requests;
    this.#requests = [];
    while (requests.length > 0) {
      const [first, repeated] = withoutRepeats(requests);
      await this.#lanes.sendAll(partsOf(first, this.#bounds, noBytes), this.#send);
      requests = repeated;
    }
  }
}

const noBytes = () => 0;

/** Returns the first request of each key, and the others. */
function withoutRepeats<R extends Keyed>(requests: readonly R[]): [readonly R[], readonly R[]] {
  if (requests.length === 1) return [requests, []];
  const keys = new Set<string>();
  const repeated: R[] = [];
  for (const request of requests) {
    if (keys.has(request.storageKey)) repeated.push(request);
    else keys.add(request.storageKey);
  }
  return repeated.length === 0
    ? [requests, repeated]
    : [requests.filter((request) => !repeated.includes(request)), repeated];
}
