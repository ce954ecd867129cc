import type { Entry } from "../entry/entry.js";
import { deepFreeze } from "../entry/freeze.js";
import { ConfigurationError, LoadError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import { json } from "../serializer/json.js";

/** The most bytes that the kept data may have, as JSON. */
const mostBytes = 4_096;

const serializer = json();

/** The data that a load keeps beside its value. */
export interface KeptData {
  readonly data: unknown;
  /** The same as JSON. */
  readonly text: string;
}

/**
 * The part of a load that refreshes conditionally, made when the load first uses it. It is also the
 * answer of a load that found its previous value unchanged.
 */
export class ConditionalLoad {
  /** Marks the instances. Unlike `instanceof`, it runs no code of a foreign object. */
  readonly #isConditional = true;
  readonly #node: string;
  readonly #key: string;
  /** The entry that the load replaces, if it is known. */
  readonly previous: Entry | undefined;
  /** The data to keep; `undefined` for none. */
  kept: KeptData | undefined;

  constructor(node: string, key: string, previous: Entry | undefined) {
    this.#node = node;
    this.#key = key;
    this.previous = previous;
  }

  /** Returns whether a load's answer says that its previous value is unchanged. Never throws. */
  static is(answer: unknown): answer is ConditionalLoad {
    return typeof answer === "object" && answer !== null && #isConditional in answer;
  }

  /** @throws ConfigurationError `CACHEME_INVALID_OPTION` for data that cannot be kept */
  keep(data: unknown): void {
    this.kept = this.#packed(data);
  }

  /**
   * Returns the answer of a load whose previous value is unchanged.
   *
   * @throws LoadError `CACHEME_NO_PREVIOUS` without a previous value
   */
  notModified(): this {
    if (this.previous !== undefined) return this;
    throw new LoadError(
      "CACHEME_NO_PREVIOUS",
      `The load of ${nodeLabel(this.#node, this.#key)} called context.notModified(), and there is no previous value. ` +
        "Look at context.previous first, and load the value if it is undefined.",
      { node: this.#node, key: this.#key },
    );
  }

  /** Returns the unchanged value. Its data stay, unless the load has kept others. */
  renewed(previous: Entry): unknown {
    if (this.kept === undefined && previous.kept !== undefined) this.kept = this.#packed(previous.kept);
    return previous.value;
  }

  #packed(data: unknown): KeptData | undefined {
    if (data === undefined) return undefined;
    const about = { node: this.#node, key: this.#key };
    let bytes: Uint8Array;
    try {
      bytes = serializer.encode(data);
    } catch (cause) {
      throw new ConfigurationError("CACHEME_INVALID_OPTION", `${this.#call} expected plain data.`, {
        ...about,
        cause,
      });
    }
    if (bytes.byteLength > mostBytes) {
      throw new ConfigurationError(
        "CACHEME_INVALID_OPTION",
        `${this.#call} expected at most ${mostBytes} bytes as JSON, got ${bytes.byteLength}.`,
        about,
      );
    }
    return { data: deepFreeze(serializer.decode(bytes)), text: Buffer.from(bytes).toString() };
  }

  get #call(): string {
    return `context.keep(…) in the load of ${nodeLabel(this.#node, this.#key)}`;
  }
}

/** Returns the data of an entry in the form in which they are kept again. */
export function keptData(data: unknown): KeptData | undefined {
  if (data === undefined) return undefined;
  return { data, text: Buffer.from(serializer.encode(data)).toString() };
}
