import type { CachemeError } from "../errors.js";
import type { Events } from "../events.js";
import type { NodeKind } from "../runtime/node-kind.js";

/** Reports values that readers got and that a tier did not take. */
export class NotStored {
  readonly #events: Events;
  /** The kinds that have had their process warning. Each kind gets one. */
  readonly #warned = new Set<string>();

  constructor(events: Events) {
    this.#events = events;
  }

  /**
   * Emits `notStored` instead of rejecting, because the reader gets the value. Without a listener
   * it warns once.
   */
  report({ name }: NodeKind, key: string, error: CachemeError): void {
    if (this.#events.listeners.notStored !== null) {
      this.#events.emit("notStored", { node: name, key, error });
    } else if (!this.#warned.has(name)) {
      this.#warned.add(name);
      process.emitWarning(error.message, { type: "CachemeWarning", code: error.code });
    }
  }
}
