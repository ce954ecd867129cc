import { StorageError } from "../errors.js";
import type { Generation, Generations } from "../storage/generations.js";
import { partsOf } from "./parts.js";
import { nextMoment, type TagStorage } from "./tag-reads.js";
import type { Tick } from "./tick.js";

type GenerationOperation = "ensure" | "bump";

/** A tag whose generation is made, or replaced. */
export interface MadeTag {
  /** The key of its generation in the storage. */
  readonly key: string;
  /**
   * Called with the storage's generation.
   *
   * @param sent the number of the request, see {@link nextMoment}
   * @param ttl milliseconds for which the storage keeps it at least; `undefined` for ever
   */
  made(storage: TagStorage, generation: Generation, sent: number, ttl: number | undefined): void;
}

/** The parts of a remote storage's batches that generations share. */
export interface GenerationBatchEnvironment {
  readonly tick: Tick;
  /** Makes the call, and returns its error. */
  attempt(operation: GenerationOperation, call: () => Promise<unknown>): Promise<Error | undefined>;
  /** Records that a batch is under way. */
  sent(batch: Promise<void>): void;
  /** Returns the error for an answer of the wrong shape. */
  wrongShape(operation: GenerationOperation, expected: number): Error;
}

interface Request {
  readonly tags: readonly MadeTag[];
  readonly ttl: number | undefined;
  readonly done: (error: Error | undefined) => void;
}

/** The most tags of one request. */
const bounds = { keys: 1_000, bytes: 0 };

const noBytes = () => 0;

/**
 * Gathers the tags whose generations are made or replaced in a tick, and sends each kind as one
 * request. Nothing here rejects.
 */
export class GenerationBatch {
  readonly #storage: TagStorage;
  readonly #environment: GenerationBatchEnvironment;
  readonly #requests: Record<GenerationOperation, Request[]> = { ensure: [], bump: [] };

  constructor(storage: TagStorage, environment: GenerationBatchEnvironment) {
    this.#storage = storage;
    this.#environment = environment;
  }

  /** Whether the storage supports generations. It may only know when it is connected. */
  get isSupported(): boolean {
    return this.#storage.storage.generations !== undefined;
  }

  /**
   * Makes the generations that are missing, and tells all of them to the tags.
   *
   * @param ttl milliseconds for which the storage keeps them at least; `undefined` for ever
   * @param done called with the error if the tags do not know their generations. Must not throw
   */
  ensure(tags: readonly MadeTag[], ttl: number | undefined, done: Request["done"]): void {
    this.#gather("ensure", { tags, ttl, done });
  }

  /** Replaces the generations; else as {@link ensure}. */
  bump(tags: readonly MadeTag[], ttl: number | undefined, done: Request["done"]): void {
    this.#gather("bump", { tags, ttl, done });
  }

  #gather(operation: GenerationOperation, request: Request): void {
    if (this.#requests[operation].push(request) > 1) return;
    const { tick, sent } = this.#environment;
    tick.add(() => {
      const requests = this.#requests[operation];
      this.#requests[operation] = [];
      sent(this.#send(operation, requests));
    });
  }

  async #send(operation: GenerationOperation, requests: readonly Request[]): Promise<void> {
    const tags = [...new Set(requests.flatMap((request) => request.tags))];
    const ttl = longestOf(requests);
    const failed = new Map<MadeTag, Error>();
    for (const part of partsOf(tags, bounds, noBytes)) {
      const error = await this.#sendPart(operation, part, ttl);
      if (error !== undefined) for (const tag of part) failed.set(tag, error);
    }
    for (const { tags: own, done } of requests) {
      done(own.map((tag) => failed.get(tag)).find((error) => error !== undefined));
    }
  }

  #sendPart(
    operation: GenerationOperation,
    tags: readonly MadeTag[],
    ttl: number | undefined,
  ): Promise<Error | undefined> {
    const keys = tags.map(({ key }) => key);
    const sent = nextMoment();
    return this.#environment.attempt(operation, async () => {
      const answer = await this.#capability()[operation](keys, ttl);
      if (!isAnswer(answer, keys.length)) throw this.#environment.wrongShape(operation, keys.length);
      for (const [place, tag] of tags.entries()) {
        const generation = answer[place];
        if (generation !== undefined) tag.made(this.#storage, generation, sent, ttl);
      }
    });
  }

  /** Returns the storage's generations, which it may have lost since the class was first used. */
  #capability(): Generations {
    const { name, storage } = this.#storage;
    if (storage.generations !== undefined) return storage.generations;
    const reason = storage.lacks?.generations ?? "Its driver does not support them.";
    const message = `Storage "${name}" (${storage.label}) does not support generations. ${reason}`;
    throw new StorageError("CACHEME_NOT_OFFERED", message, { storage: name });
  }
}

/** Returns whether the answer has the right shape. A driver is foreign code. */
function isAnswer(answer: unknown, length: number): answer is readonly Generation[] {
  return (
    Array.isArray(answer) &&
    answer.length === length &&
    answer.every((each) => typeof each?.id === "string" && each.id !== "" && typeof each.at === "number")
  );
}

/** Returns the longest ttl; `undefined` stands for no end. */
function longestOf(requests: readonly Request[]): number | undefined {
  let longest = 0;
  for (const { ttl } of requests) {
    if (ttl === undefined) return undefined;
    longest = Math.max(longest, ttl);
  }
  return longest;
}
