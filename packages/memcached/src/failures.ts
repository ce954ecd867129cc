import { BatchError, shownKey } from "cacheme/driver";
import type { Part } from "./client.js";

/** The keys of a batch that are not known to be done, with the reason of the first one. All others are done. */
export class Failures {
  readonly #label: string;
  readonly #keys: readonly string[];
  readonly #done: "stored" | "removed";
  readonly #failed = new Set<string>();
  #first: Error | undefined;

  /** @param done what is to be done with the records of the keys */
  constructor(label: string, keys: readonly string[], done: "stored" | "removed") {
    this.#label = label;
    this.#keys = keys;
    this.#done = done;
  }

  add(key: string, reason: Error): void {
    this.#failed.add(key);
    this.#first ??= reason;
  }

  /**
   * Does every server's part, whatever becomes of the others.
   *
   * @throws what the first one rejected with, where all have failed
   */
  async collect<T>(parts: readonly Part[], act: (part: Part) => Promise<T>): Promise<readonly T[]> {
    const outcomes = await Promise.allSettled(parts.map(act));
    const answers: T[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") answers.push(outcome.value);
      else for (const place of parts[index]?.places ?? []) this.add(this.#keys[place] ?? "", outcome.reason);
    }
    const [first] = outcomes;
    if (answers.length === 0 && first?.status === "rejected") throw first.reason;
    return answers;
  }

  /** @throws BatchError that names the keys */
  throwIfAny(): void {
    const cause = this.#first;
    if (cause === undefined) return;
    const keys = [...this.#failed].map(shownKey);
    const named =
      keys.length > 5 ? `${keys.slice(0, 5).join(", ")} and ${keys.length - 5} more` : keys.join(", ");
    // The storage's own name is at the beginning already.
    const reason = cause.message.replace(`${this.#label} `, "").replace(/\.$/, "");
    throw new BatchError(
      `${this.#label}: ${keys.length} of ${this.#keys.length} records may not be ${this.#done}: ${named}. ` +
        `Why the first one may not: ${reason}.`,
      this.#failed,
      { cause },
    );
  }
}
