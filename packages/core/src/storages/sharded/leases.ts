import type { LeaseAnswer, LeasedRecord, LeaseRequest, Leases } from "../../storage/leases.js";
import { byShard, type ShardMember } from "./shard.js";

/**
 * The token of a lease that nobody holds, for keys whose shard is down. Its holder may load, as
 * without a cache, but no fill accepts it.
 */
const withoutRight: LeaseAnswer = { outcome: "granted", token: "shard-down", at: undefined };

/** The functions that the leases need of all shards together. */
export interface LeasedShards {
  readonly members: readonly ShardMember[];
  ownerOf(key: string): ShardMember;
  check(keys: readonly string[]): void;
  /**
   * Removes copies of the keys from other shards. Returns the keys of which those shards may still
   * have a copy.
   */
  dropFormerCopies(keys: readonly string[]): Promise<ReadonlySet<string>>;
}

/**
 * The leases of shards, each shard's for its own keys. A shard that is down costs the right to
 * store, but causes no error.
 */
export class ShardedLeases implements Leases {
  readonly #shards: LeasedShards;

  constructor(shards: LeasedShards) {
    this.#shards = shards;
  }

  /**
   * Acquires leases. Omits the time of a grant, because generations have other clocks than the
   * shard's.
   */
  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    const answers = await this.#each(requests, (leases, part) => leases.acquire(part), withoutRight);
    return answers.map((answer) => (answer.outcome === "granted" ? { ...answer, at: undefined } : answer));
  }

  /**
   * Stores the records. The answer is also `false` if a former shard of the key may still have an
   * older value. A later read could find the older value.
   */
  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    const keys = records.map(({ key }) => key);
    this.#shards.check(keys);
    const [stored, left] = await Promise.all([
      this.#each(records, (leases, part) => leases.fill(part), false),
      this.#shards.dropFormerCopies(keys),
    ]);
    return stored.map((isStored, index) => isStored && !left.has(records[index]?.key ?? ""));
  }

  readonly release: Leases["release"] = (held) =>
    this.#each(held, (leases, part) => leases.release(part), false);

  /** Extends leases, if each shard can. */
  get extend(): Leases["extend"] {
    if (this.#shards.members.some(({ storage }) => storage.leases?.extend === undefined)) return undefined;
    return (leases) => this.#each(leases, async (shard, part) => (await shard.extend?.(part)) ?? [], false);
  }

  /** Sends each shard its part, and puts the answers in the order of the requests. */
  async #each<Q extends { readonly key: string }, A>(
    questions: readonly Q[],
    ask: (leases: Leases, part: readonly Q[]) => Promise<readonly A[]>,
    withoutAnswer: A,
  ): Promise<A[]> {
    this.#shards.check(questions.map(({ key }) => key));
    const answers: A[] = new Array(questions.length).fill(withoutAnswer);
    const parts = byShard(questions, ({ key }) => this.#shards.ownerOf(key));
    await Promise.all(
      Array.from(parts, async ([{ storage }, part]) => {
        const { leases } = storage;
        const asked = part.map(({ item }) => item);
        const given = leases === undefined ? [] : await ask(leases, asked).catch(() => []);
        for (const [index, { place }] of part.entries()) answers[place] = given[index] ?? withoutAnswer;
      }),
    );
    return answers;
  }
}
