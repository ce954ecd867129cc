import type { Flight } from "../runtime/flight.js";
import type { Tag } from "../tags/tag.js";
import type { RemoteRead } from "../tiers/remote-requests.js";

/**
 * A flight's request for its entry, and for the generations of the tags that its value told the last
 * time.
 */
export class ExpectingRead implements RemoteRead {
  readonly #flight: Flight;
  readonly storageKey: string;
  readonly tags: readonly Tag[];

  constructor(flight: Flight, expected: readonly Tag[]) {
    const { tags: own, storageKey } = flight;
    this.#flight = flight;
    this.storageKey = storageKey;
    this.tags = own === undefined ? expected : [...own, ...expected];
  }

  arrived(bytes: Uint8Array | undefined, trouble: Error | undefined): void {
    this.#flight.arrived(bytes, trouble);
  }
}
