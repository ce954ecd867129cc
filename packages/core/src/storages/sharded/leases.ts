import type { HeldLease, LeaseAnswer, LeasedRecord, LeaseRequest, Leases } from "../../storage/leases.js";
import { byShard, type ShardMember } from "./shard.js";

/**
 * The token of a lease that nobody holds, for keys whose shard is down: who has it may load, as without a cache, and no
 * fill takes it.
 */
const withoutRight: LeaseAnswer = { outcome: "granted", token: "shard-down", at: undefined };

/** What the leases need of the shards together. */
export interface LeasedShards {
  ownerOf(key: string): ShardMember;
  check(keys: readonly string[]): void;
  /** Removes what other shards have of the keys, and answers with those of which they may still have something. */
  dropFormerCopies(keys: readonly string[]): Promise<ReadonlySet<string>>;
}

/** The leases of shards, each shard's for its own keys. A shard that is down costs the right to store, and no error. */
export class ShardedLeases implements Leases {
  readonly #shards: LeasedShards;

  constructor(shards: LeasedShards) {
    this.#shards = shards;
  }

  /** The time of a grant is left out: generations stand under other clocks than the shard's. */
  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    const answers = await this.#each(requests, (leases, part) => leases.acquire(part), withoutRight);
    return answers.map((answer) => (answer.outcome === "granted" ? { ...answer, at: undefined } : answer));
  }

  /** `false` also where a shard that had the key before may still have its older value: it could be read again. */
  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    const keys = records.map(({ key }) => key);
    this.#shards.check(keys);
    const [stored, left] = await Promise.all([
      this.#each(records, (leases, part) => leases.fill(part), false),
      this.#shards.dropFormerCopies(keys),
    ]);
    return stored.map((isStored, index) => isStored && !left.has(records[index]?.key ?? ""));
  }

  async release(held: readonly HeldLease[]): Promise<void> {
    const release = async (leases: Leases, part: readonly HeldLease[]): Promise<undefined[]> => {
      await leases.release(part);
      return [];
    };
    await this.#each(held, release, undefined);
  }

  /** Asks every shard for its part, and puts the answers in the order of the questions. */
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
