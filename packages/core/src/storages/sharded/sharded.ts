import { Rendezvous } from "../../driver/rendezvous.js";
import { BatchError, closedStorage, reasonOf } from "../../errors.js";
import { optionError, shown } from "../../option-checks.js";
import type { KeyPattern } from "../../storage/key-pattern.js";
import type { Leases } from "../../storage/leases.js";
import type {
  RemoteStorage,
  StorageCapability,
  StorageInfo,
  StoredRecord,
} from "../../storage/remote-storage.js";
import { checkKeys } from "../../storage/stored-key.js";
import { ShardedLeases } from "./leases.js";
import { byShard, checkNames, memberFrom, type Shard, type ShardMember } from "./shard.js";
import { shardedTime } from "./time.js";

/** A storage of several storages, each with a part of the keys. */
export interface ShardedStorage extends RemoteStorage {
  /** The shards by name, with their weights. */
  shards(): readonly { readonly name: string; readonly weight: number }[];
  /** The name of the shard that a key of the storage is in. */
  shardFor(key: string): string;
  /**
   * Connects a further shard and gives it its part of the keys: about 1 in N, which are misses at first. Clear a shard that
   * was in use before: what it kept may be out of date.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` where the name is in use
   */
  addShard(shard: RemoteStorage | Shard): Promise<void>;
  /**
   * Gives the shard's keys to the others, where they are misses at first, and closes it.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` where there is none of that name, or no other
   */
  removeShard(name: string): Promise<void>;
}

/**
 * Spreads keys over several storages by rendezvous hashing: for servers that cannot do it among themselves. A Redis Cluster
 * or a sharded MongoDB is one storage already.
 *
 * A shard that is down costs misses and not errors: its keys are not found, the other shards' are. What did not reach it is
 * told all the same: writes and removals of its keys reject with a `BatchError` that names them, since an invalidation
 * must not be lost in silence.
 *
 * All processes must have the same shards under the same names. After `addShard` or `removeShard` writes and removals are
 * also told to the shards that a key may have been in before.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for no shard, two of one name, or a weight that is not above 0
 * @example
 * ```ts
 * const shards = sharded([redis("redis://10.0.0.7"), { storage: redis("redis://10.0.0.8"), weight: 2 }]);
 * await registerStorage("redis", shards);
 * await shards.addShard(redis("redis://10.0.0.9"));
 * ```
 */
export function sharded(shards: readonly (RemoteStorage | Shard)[]): ShardedStorage {
  if (!Array.isArray(shards))
    throw optionError(`sharded() was given ${shown(shards)}. Give a list of storages.`);
  return new Shards(shards.map(memberFrom));
}

class Shards implements ShardedStorage {
  readonly kind = "remote";
  readonly #table = new Rendezvous<ShardMember>();
  #isConnected = false;
  #closing: Promise<void> | undefined;
  readonly #leases = this.#makeLeases();
  /** Whether a key may have been in another shard than it is in now. */
  #hasMoved = false;

  constructor(members: readonly ShardMember[]) {
    if (members.length === 0) throw optionError("sharded() was given no storage. Give one at least.");
    checkNames(members);
    this.#table.members = members;
    if (members.some(({ storage }) => storage.scan === undefined)) this.scan = undefined;
  }

  /** None while a shard has none, which some storages know only once they are connected. */
  get leases(): Leases | undefined {
    return this.#withoutLeases === undefined ? this.#leases : undefined;
  }

  get lacks(): { readonly [capability in StorageCapability]?: string } {
    const without = this.#withoutLeases;
    return {
      generations: "The clocks of several servers cannot be compared, and generations stand on one.",
      ...(without === undefined ? {} : { leases: `Its shard ${without.name} has none.` }),
      ...(this.scan === undefined ? { scan: "One of its shards has none." } : {}),
    };
  }

  get label(): string {
    return `sharded (${this.#table.members.map(({ name }) => name).join(", ")})`;
  }

  shards(): readonly { readonly name: string; readonly weight: number }[] {
    return this.#table.members.map(({ name, weight }) => ({ name, weight }));
  }

  shardFor(key: string): string {
    return this.#ownerOf(key).name;
  }

  async addShard(shard: RemoteStorage | Shard): Promise<void> {
    this.#check([]);
    const member = memberFrom(shard);
    checkNames([...this.#table.members, member]);
    this.#checkLeases(member);
    if (this.#isConnected) {
      await member.storage.connect();
      this.#checkLeases(member);
    }
    if (this.#closing !== undefined) {
      await member.storage.close();
      throw closedStorage(this.label);
    }
    // Another one may have come meanwhile.
    checkNames([...this.#table.members, member]);
    this.#hasMoved = true;
    this.#table.members = [...this.#table.members, member];
  }

  async removeShard(name: string): Promise<void> {
    const member = this.#table.members.find((member) => member.name === name);
    const others = this.#table.members.filter((member) => member.name !== name);
    if (member === undefined || others.length === 0) {
      const why = member === undefined ? "is no shard" : "is the only shard";
      throw optionError(
        `${this.label}: ${JSON.stringify(name)} ${why}. Shards: ${this.shards()
          .map((shard) => shard.name)
          .join(", ")}.`,
      );
    }
    this.#hasMoved = true;
    this.#table.members = others;
    await member.storage.close();
  }

  async connect(): Promise<void> {
    this.#check([]);
    await Promise.all(this.#table.members.map(({ storage }) => storage.connect()));
    this.#isConnected = true;
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#table.members.map(({ storage }) => storage.close())).then(() => {});
    return this.#closing;
  }

  async ping(): Promise<void> {
    this.#check([]);
    await Promise.all(this.#table.members.map(({ storage }) => storage.ping()));
  }

  /** The clock of the first shard by name that can be reached, the same one in every process. */
  async time(): Promise<number> {
    this.#check([]);
    return shardedTime(this.#table.members);
  }

  /** A shard that is down answers with misses. */
  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#check(keys);
    const found: (Uint8Array | undefined)[] = new Array(keys.length).fill(undefined);
    await Promise.all(
      Array.from(
        byShard(keys, (key) => this.#ownerOf(key)),
        async ([{ storage }, places]) => {
          const answers = await storage.readMany(places.map(({ item }) => item)).catch(() => undefined);
          for (const [index, { place }] of places.entries()) found[place] = answers?.[index];
        },
      ),
    );
    return found;
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    this.#check(records.map(({ key }) => key));
    const parts = byShard(records, ({ key }) => this.#ownerOf(key));
    const writes = Array.from(parts, ([shard, places]) => {
      const part = places.map(({ item }) => item);
      return { shard, keys: part.map(({ key }) => key), done: shard.storage.writeMany(part) };
    });
    await this.#all("stored", [...writes, ...this.#formerCopies(records.map(({ key }) => key))]);
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    this.#check(keys);
    let count = 0;
    const parts = byShard(keys, (key) => this.#ownerOf(key));
    const removals = Array.from(parts, ([shard, places]) => {
      const part = places.map(({ item }) => item);
      const done = shard.storage.removeMany(part).then((removed) => {
        count += removed;
      });
      return { shard, keys: part, done };
    });
    await this.#all("removed", [...removals, ...this.#formerCopies(keys)]);
    return count;
  }

  /** @throws also where one shard is down: a part of the keys is not all keys */
  scan?: ((pattern: KeyPattern) => AsyncIterable<readonly string[]>) | undefined = (pattern) =>
    this.#scan(pattern);

  async info(): Promise<StorageInfo> {
    const infos = await Promise.all(this.#table.members.map(({ storage }) => storage.info?.()));
    const sum = (of: "records" | "bytes"): number | undefined =>
      infos.every((info) => info?.[of] !== undefined)
        ? infos.reduce((total, info) => total + (info?.[of] ?? 0), 0)
        : undefined;
    const servers = [...new Set(infos.map((info) => info?.server ?? "unknown"))];
    return {
      server: servers.join(", "),
      records: sum("records"),
      bytes: sum("bytes"),
      details: { shards: this.#table.members.length },
    };
  }

  get #withoutLeases(): ShardMember | undefined {
    return this.#table.members.find(({ storage }) => storage.leases === undefined);
  }

  #checkLeases({ name, storage }: ShardMember): void {
    if (this.leases === undefined || storage.leases !== undefined) return;
    throw optionError(`The shard ${name} has no leases, as the others have. Give one that has.`);
  }

  #makeLeases(): Leases {
    return new ShardedLeases({
      ownerOf: (key) => this.#ownerOf(key),
      check: (keys) => this.#check(keys),
      dropFormerCopies: async (keys) => {
        const parts = this.#formerCopies(keys);
        const outcomes = await Promise.allSettled(parts.map(({ done }) => done));
        const failed = parts.filter((_, index) => outcomes[index]?.status === "rejected");
        return new Set(failed.flatMap((part) => part.keys));
      },
    });
  }

  async *#scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    for (const member of this.#table.members) {
      for await (const page of member.storage.scan?.(pattern) ?? []) {
        // What a shard kept from the time when a key was its own is not there for anybody.
        const own = this.#hasMoved ? page.filter((key) => this.#ownerOf(key) === member) : page;
        if (own.length > 0) yield own;
      }
    }
  }

  /** Before anything of a batch is sent: a shard that refused a key could not undo what the others have done. */
  #check(keys: readonly string[]): void {
    if (this.#closing !== undefined) throw closedStorage(this.label);
    checkKeys(keys, this.label);
  }

  #ownerOf(key: string): ShardMember {
    const owner = this.#table.of(key);
    if (owner === undefined) throw optionError("sharded() has no storage.");
    return owner;
  }

  /**
   * Removes the keys from the shards that are not their own, once a shard has come or gone: with a further change an old
   * copy there would be read again. The keys are checked before.
   */
  #formerCopies(keys: readonly string[]): Sent[] {
    if (!this.#hasMoved) return [];
    return this.#table.members.flatMap((shard) => {
      const foreign = keys.filter((key) => this.#ownerOf(key) !== shard);
      return foreign.length === 0 ? [] : [{ shard, keys: foreign, done: shard.storage.removeMany(foreign) }];
    });
  }

  /** @throws BatchError naming the keys of the shards that failed, when all have settled */
  async #all(done: string, parts: readonly Sent[]): Promise<void> {
    const outcomes = await Promise.allSettled(parts.map((part) => part.done));
    const failed = new Set<string>();
    const reasons: string[] = [];
    let cause: unknown;
    for (const [index, outcome] of outcomes.entries()) {
      const part = parts[index];
      if (outcome.status === "fulfilled" || part === undefined) continue;
      cause ??= outcome.reason;
      const { reason } = outcome;
      for (const key of reason instanceof BatchError ? reason.keys : part.keys) failed.add(key);
      const text = reasonOf(reason);
      reasons.push(text.startsWith(part.shard.name) ? text : `${part.shard.name}: ${text}`);
    }
    if (failed.size === 0) return;
    const message = `${this.label}: ${failed.size} ${failed.size === 1 ? "key" : "keys"} may not be ${done}. ${reasons.join(" ")}`;
    throw new BatchError(message, failed, { cause });
  }
}

/** A part of a batch on its way to one shard. */
interface Sent {
  readonly shard: ShardMember;
  readonly keys: readonly string[];
  readonly done: Promise<unknown>;
}
