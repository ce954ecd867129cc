import { CachemeError } from "../errors.js";
import type { Node } from "../node/node.js";
import type { AnswerOrigin, ListAnswer } from "../runtime/list-answer.js";

/** A node that could not be warmed. */
export interface WarmFailure {
  readonly node: Node;
  readonly error: unknown;
}

/** Counts the outcomes of a batch. It keeps no value. */
export class WarmBatch implements ListAnswer {
  readonly isBulk = true;
  warmed = 0;
  fresh = 0;
  readonly failures: WarmFailure[] = [];
  readonly #nodes: readonly Node[];
  #waiting: number;
  #done: () => void = () => {};

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
    this.#waiting = nodes.length;
  }

  /** Settles when each node has its outcome. */
  get settled(): Promise<void> {
    if (this.#waiting === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  hit(): void {
    this.fresh += 1;
    this.#count();
  }

  resolve(place: number, _value: unknown, origin: AnswerOrigin = "found"): void {
    if (origin === "unstored") {
      this.reject(place, unstored());
      return;
    }
    if (origin === "loaded") this.warmed += 1;
    else this.fresh += 1;
    this.#count();
  }

  reject(place: number, error: unknown): void {
    const node = this.#nodes[place];
    if (node !== undefined) this.failures.push({ node, error });
    this.#count();
  }

  #count(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#done();
  }
}

function unstored(): CachemeError {
  return new CachemeError(
    "CACHEME_WRITE_INCOMPLETE",
    "The value was loaded, but a remote tier has not taken it: the storage is in trouble, or the node was invalidated meanwhile. Warm it again.",
  );
}
