import type { Sender } from "./exchange.js";
import type { Deliverable, Ending, Network } from "./network.js";

/** Work of a process, such as a load, that ends when the schedule says so. */
class Hold implements Deliverable {
  readonly kind = "load";
  readonly process: number;
  readonly place = "source";
  readonly operation: string;
  readonly keys: readonly string[];
  readonly number: number;
  readonly #sender: Sender;
  readonly #settle: (how: Ending) => void;

  constructor(
    sender: Sender,
    operation: string,
    keys: readonly string[],
    number: number,
    settle: (how: Ending) => void,
  ) {
    this.#sender = sender;
    this.process = sender.process;
    this.operation = operation;
    this.keys = keys;
    this.number = number;
    this.#settle = settle;
  }

  get isAwaited(): boolean {
    return !this.#sender.isDead;
  }

  end(how: Ending): void {
    if (!this.#sender.isDead) this.#settle(how);
  }
}

/** Waits until the schedule ends the work. Rejects if the work is to fail. */
export function hold(
  network: Network,
  sender: Sender,
  operation: string,
  keys: readonly string[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (how: Ending) => {
      if (how === "fail" || how === "giveUp")
        reject(new SourceError(`The simulated ${operation} has failed.`));
      else resolve();
    };
    network.send(new Hold(sender, operation, keys, network.nextNumber(), settle));
  });
}

/** The failure of a simulated source. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}
