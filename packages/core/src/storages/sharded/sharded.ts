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
import { FormerShards } from "./former-shards.js";
import { ShardedLeases } from "./leases.js";
import { byShard, checkNames, memberFrom, type Shard, type ShardMember } from "./shard.js";
import { shardedTime } from "./time.js";
import { touchIn } from "./touches.js";

/** A storage made of several storages, each with a part of the keys. */
export interface ShardedStorage extends RemoteStorage {
  /** Returns the shards by name, with their weights. */
  shards(): readonly { readonly name: string; readonly weight: number }[];
  /** Returns the name of the shard that holds a key of the storage. */
  shardFor(key: string): string;
  /**
   * Connects a new shard and gives it its part of the keys. These are about 1 in N, and misses at
   * first. The entries of a shard that was removed before are out of date: they are removed before
   * the shard is used. A shard that another process has used must be cleared first.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` if the name is in use, or if the shard was
   *   removed before and cannot list its keys, unless it `isEmpty`
   * @throws any error of the storage while it connects or its old entries are removed; then the
   *   shard is not added
   */
  addShard(shard: RemoteStorage | Shard): Promise<void>;
  /**
   * Gives the shard's keys to the others, where they are misses at first, and closes the shard.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` if no shard has that name, or it is the
   *   only shard
   */
  removeShard(name: string): Promise<void>;
}

/**
 * Spreads keys over several storages by rendezvous hashing. Use it for servers that cannot shard
 * among themselves. A Redis Cluster or a sharded MongoDB is one storage already.
 *
 * A shard that is down costs misses, not errors. Its keys are not found, but those of the other
 * shards are. Writes and removals that did not reach it reject with a `BatchError` that names their
 * keys. No invalidation may be lost silently.
 *
 * All processes must have the same shards under the same names. After `addShard` or `removeShard`,
 * writes and removals also go to the shards that may have held a key before.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for no shard, two of one name, or a weight
 *   that is not above 0
 * @example
 * ```ts
 * const shards = sharded([redis("redis://10.0.0.7"), { storage: redis("redis://10.0.0.8"), weight: 2 }]);
 * await registerStorage("redis", shards);
 * await shards.addShard(redis("redis://10.0.0.9"));
 * ```
 */
export function sharded(shards: readonly (RemoteStorage | Shard)[]): ShardedStorage {
  if (!Array.isArray(shards))
    throw optionError(`sharded() expected a list of storages, got ${shown(shards)}.`);
  return new Shards(shards.map(memberFrom));
}

class Shards implements ShardedStorage {
  readonly kind = "remote";
  readonly #table = new Rendezvous<ShardMember>();
  #isConnected = false;
  #closing: Promise<void> | undefined;
  readonly #leases = this.#makeLeases();
  /** Whether a key may have been in another shard than now. */
  #hasMoved = false;
  readonly #former = new FormerShards();

  constructor(members: readonly ShardMember[]) {
    if (members.length === 0) throw optionError("sharded() expected at least one storage, got none.");
    checkNames(members);
    this.#table.members = members;
    if (members.some(({ storage }) => storage.scan === undefined)) this.scan = undefined;
  }

  /** The leases, if each shard has them. Some storages only know it once they are connected. */
  get leases(): Leases | undefined {
    return this.#withoutLeases === undefined ? this.#leases : undefined;
  }

  get lacks(): { readonly [capability in StorageCapability]?: string } {
    const without = this.#withoutLeases;
    return {
      generations: "Generations need one clock, and the clocks of several servers cannot be compared.",
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
    await this.#former.clear(member);
    if (this.#closing !== undefined) {
      await member.storage.close();
      throw closedStorage(this.label);
    }
    // Checks again, because another shard of that name may have been added meanwhile.
    checkNames([...this.#table.members, member]);
    this.#hasMoved = true;
    this.#table.members = [...this.#table.members, member];
  }

  async removeShard(name: string): Promise<void> {
    const member = this.#table.members.find((member) => member.name === name);
    const others = this.#table.members.filter((member) => member.name !== name);
    if (member === undefined || others.length === 0) {
      const why = member === undefined ? "is not a shard" : "is the only shard";
      throw optionError(
        `${this.label}: ${JSON.stringify(name)} ${why}. Shards: ${this.shards()
          .map((shard) => shard.name)
          .join(", ")}.`,
      );
    }
    this.#hasMoved = true;
    this.#former.removed(name);
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

  /**
   * Returns the time of the first shard by name that can be reached. It is the same shard in every
   * process.
   */
  async time(): Promise<number> {
    this.#check([]);
    return shardedTime(this.#table.members);
  }

  /** Reads the keys. A shard that is down answers with misses. */
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

  /** Touches records, if each shard can. A shard that is down answers that it has none. */
  get touchMany(): RemoteStorage["touchMany"] {
    if (this.#table.members.some(({ storage }) => storage.touchMany === undefined)) return undefined;
    return async (touches) => {
      this.#check(touches.map(({ key }) => key));
      return touchIn(touches, (key) => this.#ownerOf(key));
    };
  }

  /** @throws even if one shard is down, because a part of the keys is not all keys */
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
    throw optionError(`The shard ${name} has no leases, but the others have. Give a shard with leases.`);
  }

  #makeLeases(): Leases {
    const table = this.#table;
    return new ShardedLeases({
      get members() {
        return table.members;
      },
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
        // Skips keys that a shard kept from the time before they moved to another shard.
        const own = this.#hasMoved ? page.filter((key) => this.#ownerOf(key) === member) : page;
        if (own.length > 0) yield own;
      }
    }
  }

  /**
   * Checks the keys before anything of a batch is sent. If a shard refused a key, the other shards'
   * work could not be undone.
   */
  #check(keys: readonly string[]): void {
    if (this.#closing !== undefined) throw closedStorage(this.label);
    checkKeys(keys, this.label);
    this.#former.use(keys);
  }

  #ownerOf(key: string): ShardMember {
    const owner = this.#table.of(key);
    if (owner === undefined) throw optionError("sharded() has no storage.");
    return owner;
  }

  /**
   * Removes the keys from the shards that do not own them, if a shard was added or removed before.
   * After another change an old copy there would be read again. The caller has checked the keys.
   */
  #formerCopies(keys: readonly string[]): Sent[] {
    if (!this.#hasMoved) return [];
    return this.#table.members.flatMap((shard) => {
      const foreign = keys.filter((key) => this.#ownerOf(key) !== shard);
      return foreign.length === 0 ? [] : [{ shard, keys: foreign, done: shard.storage.removeMany(foreign) }];
    });
  }

  /** @throws BatchError when all parts have settled, with the keys of the shards that failed */
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

/** A part of a batch that was sent to one shard. */
interface Sent {
  readonly shard: ShardMember;
  readonly keys: readonly string[];
  readonly done: Promise<unknown>;
}
