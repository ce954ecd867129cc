import {
  checkKeys,
  checkKeysOf,
  type Generations,
  isAggregate,
  type Leases,
  type RemoteStorage,
  type StorageCapability,
  type StorageInfo,
  type StoredRecord,
} from "cacheme/driver";
import { Client, type Conversation, type Part } from "./client.js";
import { refusal } from "./exchange.js";
import { Failures } from "./failures.js";
import { MemcachedGenerations } from "./generations.js";
import { itemName } from "./item-name.js";
import { MemcachedLeases } from "./leases.js";
import type { Settings } from "./options.js";
import { noLeasesBehindProxy } from "./proxy.js";
import { bytesOf } from "./record.js";
import { statsOf } from "./server-facts.js";
import { storeRecord } from "./store.js";

/** One server, or several that share the keys. */
export class MemcachedStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly generations: Generations;
  readonly #client: Client;
  readonly #leases: Leases;

  constructor(settings: Settings) {
    this.label = settings.label;
    this.#client = new Client(settings, this);
    this.#leases = new MemcachedLeases(this.label, this.#client);
    this.generations = new MemcachedGenerations(this.label, this.#client);
  }

  /** None behind a proxy, which the first connection tells. */
  get leases(): Leases | undefined {
    return this.#client.isBehindProxy ? undefined : this.#leases;
  }

  get lacks(): { readonly [capability in StorageCapability]?: string } {
    const scan = "memcached has no command that lists its keys in pages, and long keys are stored as hashes.";
    return this.#client.isBehindProxy ? { scan, leases: noLeasesBehindProxy } : { scan };
  }

  connect(): Promise<void> {
    return this.#client.connect();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** Settles when every server has answered. */
  async ping(): Promise<void> {
    await this.#client.run("a ping", async (conversation) => {
      const { connections } = this.#client;
      const asked = connections.map((connection) =>
        conversation.ask(connection, (batch) => batch.command("mn")),
      );
      await Promise.all(await settled(asked));
    });
  }

  /**
   * The `time` of the server's statistics: its uptime plus the time at which it was started, the base by which it expires
   * items. It is told in whole seconds and advances once a second, so it is up to a second behind, and up to two on a server
   * that is busy. Of several servers one answers for all: the first by name that is up, so that every process reads the same
   * clock.
   */
  readonly timePrecision = 1_000;

  async time(): Promise<number> {
    return this.#client.run("a look at the clock", async (conversation) => {
      const stats = statsOf(await conversation.stats(this.#client.firstUp()));
      const seconds = Number(stats.get("time"));
      if (!(seconds > 0)) throw new Error("the statistics do not say what time it is");
      return seconds * 1000;
    });
  }

  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    checkKeys(keys, this.label);
    const names = keys.map(itemName);
    const found = new Array<Uint8Array | undefined>(keys.length).fill(undefined);
    const parts = this.#client.parts(names);
    await this.#client.run("a read", (conversation) =>
      this.#client.eachUp(parts, (part) => this.#readPart(conversation, part, keys, names, found)),
    );
    return found;
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    if (records.length === 0) return;
    checkKeysOf(records, this.label);
    const keys = records.map(({ key }) => key);
    const names = keys.map(itemName);
    const failures = new Failures(this.label, keys, "stored");
    await this.#client.run("a write", (conversation) =>
      failures.collect(this.#client.parts(names), async ({ connection, places }) => {
        const sent: StoredRecord[] = [];
        const now = (): number => connection.now();
        const answers = await conversation.ask(connection, (batch) => {
          for (const place of places) {
            const [record, name] = [records[place], names[place]];
            if (record === undefined || name === undefined) continue;
            if (storeRecord(batch, connection.facts, name, record, now, failures)) sent.push(record);
          }
        });
        for (let index = 0; index < answers.length; index++) {
          const answer = answers[index];
          if (answer !== undefined && answer.code !== "HD")
            failures.add(sent[index]?.key ?? "", refusal(answer));
        }
      }),
    );
    failures.throwIfAny();
  }

  /** Counts leases without bytes as well. A key that stands twice counts once, since it is gone by then. */
  async removeMany(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    checkKeys(keys, this.label);
    const names = keys.map(itemName);
    const failures = new Failures(this.label, keys, "removed");
    const counts = await this.#client.run("a removal", (conversation) =>
      failures.collect(this.#client.parts(names), async ({ connection, places }) => {
        const answers = await conversation.ask(connection, (batch) => {
          for (const place of places) batch.command(`md ${names[place]}`);
        });
        let count = 0;
        for (const [index, answer] of answers.entries()) {
          if (answer.code === "HD") count++;
          else if (answer.code !== "NF") failures.add(keys[places[index] ?? 0] ?? "", refusal(answer));
        }
        return count;
      }),
    );
    failures.throwIfAny();
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Of all servers together; those that are down are named in the details. */
  async info(): Promise<StorageInfo> {
    const { connections } = this.#client;
    const all = await this.#client.run("a look at the server", async (conversation) => {
      const asked = await settled(connections.map((connection) => conversation.stats(connection)));
      await Promise.any(asked).catch(firstOf);
      return Promise.allSettled(asked);
    });
    const stats = all.map((outcome) => (outcome.status === "fulfilled" ? statsOf(outcome.value) : undefined));
    const versions = new Set(stats.flatMap((one) => one?.get("version") ?? []));
    const sum = (name: string): number =>
      stats.reduce((total, one) => total + Number(one?.get(name) ?? 0), 0);
    return {
      server: `memcached ${[...versions].join(", ")}`,
      records: sum("curr_items"),
      bytes: sum("bytes"),
      details: {
        servers: connections.length,
        evictions: sum("evictions"),
        ...Object.fromEntries(
          connections.map(({ label }, place) => [label, stats[place] === undefined ? "down" : "up"]),
        ),
      },
    };
  }

  async #readPart(
    conversation: Conversation,
    { connection, places }: Part,
    keys: readonly string[],
    names: readonly string[],
    found: (Uint8Array | undefined)[],
  ): Promise<void> {
    const its = places.map((place) => names[place] ?? "");
    const answers = await conversation.get(connection, its, bytesAndTimes);
    for (let index = 0; index < answers.length; index++) {
      const [answer, place = 0] = [answers[index], places[index]];
      if (answer?.code === "VA") found[place] = bytesOf(answer, names[place] ?? "", keys[place] ?? "");
      else if (answer !== undefined && answer.code !== "EN") throw refusal(answer);
    }
  }
}

/** What a read asks of each item: bytes, where they end, and whether they still count. */
const bytesAndTimes = (): string => "v f t";

/** The same promises when each has settled. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<readonly Promise<T>[]> {
  await Promise.allSettled(promises);
  return promises;
}

/** None has succeeded: the first one's error says why. */
function firstOf(error: unknown): never {
  throw isAggregate(error) ? error.errors[0] : error;
}
