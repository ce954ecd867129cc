import type { Ending } from "./schedule.js";

/** A request on its way to a storage or back, or a load, that waits for the schedule. */
export interface Gate {
  readonly kind: "load" | "read" | "write" | "remove";
  readonly keys: readonly number[];
  /** The birth of the request or of the load. */
  readonly born: number;
  /** The births of the values that a write carries. */
  readonly values: readonly number[];
}

interface ClosedGate extends Gate {
  open(how: Ending): void;
}

/** The closed gates, the oldest first. */
export class Gates {
  readonly #closed: ClosedGate[] = [];

  get count(): number {
    return this.#closed.length;
  }

  /** Waits until the schedule opens the gate. */
  pass(gate: Gate): Promise<Ending> {
    return new Promise((open) => this.#closed.push({ ...gate, open }));
  }

  /** Opens the gate of that place, modulo the number of gates. */
  open(which: number, how: Ending): Gate | undefined {
    const gate = this.#closed.splice(which % Math.max(1, this.#closed.length), 1)[0];
    gate?.open(how);
    return gate;
  }

  /** Opens every gate that is closed now. */
  openAll(): void {
    for (const gate of this.#closed.splice(0)) gate.open("ok");
  }

  /** Returns the places of the gates that the test accepts. */
  where(accepts: (gate: Gate) => boolean): number[] {
    return this.#closed.flatMap((gate, place) => (accepts(gate) ? [place] : []));
  }

  at(place: number): Gate | undefined {
    return this.#closed[place];
  }
}

/** Runs every job that only waits for promises and ticks. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
