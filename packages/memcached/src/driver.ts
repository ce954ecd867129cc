import type * as kit from "cacheme/driver";
import { Client } from "./client.js";
import { storeRecord } from "./commands.js";
import { bump, ensure } from "./generations.js";
import { needs, noLeasesBehindProxy, statsOf } from "./handshake.js";
import { extend, fill, release } from "./lease-rights.js";
import { tokenFrom } from "./lease-token.js";
import { acquire } from "./leases.js";
import type { Settings } from "./options.js";
import { bytesOf } from "./record.js";
import { touch } from "./touches.js";
import { adviceFor, isFull, Refusal, refusal, remedyFor } from "./trouble.js";

type Call = kit.StorageCall;
type Method<Name extends keyof kit.Driver> = NonNullable<kit.Driver[Name]>;

const noScan = "memcached has no command that lists its keys in pages, and long keys are stored as hashes.";

/** Meta commands to one server, or to several that share the keys. */
export class MemcachedDriver implements kit.Driver {
  readonly takesRepeatedKeys = { read: true, write: true } as const;
  /** The server's clock is read in whole seconds. */
  readonly timePrecision = 1000;
  readonly errors: kit.DriverErrors = {
    advice: adviceFor,
    isAnswer: (error) => error instanceof Refusal,
    remedyFor,
  };
  readonly trial: kit.DriverTrial | undefined;
  readonly #client: Client;

  readonly touch: Method<"touch"> = (touches, call) => touch(this.#client, touches, call);
  readonly acquire: Method<"acquire"> = (requests, call) => acquire(this.#client, requests, call);
  readonly fill: Method<"fill"> = (records, call) => fill(this.#client, records, call);
  readonly release: Method<"release"> = (leases, call) => release(this.#client, leases, call);
  readonly extend: Method<"extend"> = (leases, call) => extend(this.#client, leases, call);
  readonly isToken: Method<"isToken"> = (token) => tokenFrom(token) !== undefined;
  readonly ensure: Method<"ensure"> = (tags, ttl, call) => ensure(this.#client, tags, ttl, call);
  readonly bump: Method<"bump"> = (tags, ttl, call) => bump(this.#client, tags, ttl, call);

  constructor(settings: Settings) {
    this.#client = new Client(settings);
    // Servers of a pool give their version while connecting. A trial would wait for those that are
    // down.
    if (!this.#client.isPool) this.trial = { needs, passes: isFull };
  }

  /** The first connection tells whether there is a proxy. */
  get lacks(): { readonly [capability in kit.StorageCapability]?: string } {
    const isBehindProxy = this.#client.servers.some(({ isProxy }) => isProxy);
    return { scan: noScan, ...(isBehindProxy && { leases: noLeasesBehindProxy }) };
  }

  open(): Promise<void> {
    return this.#client.open();
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** Settles when every server has answered. */
  async ping(call: Call): Promise<void> {
    const asked = this.#client.servers.map((server) => server.send(call, ["mn"]));
    await Promise.allSettled(asked);
    await Promise.all(asked);
  }

  /**
   * Reads the `time` of the server's statistics, by which it expires items. The server updates it
   * once a second, so it is up to a second behind, and up to two on a busy server. In a pool the
   * first server by name that is up answers, so that every process reads the same clock.
   */
  async time(call: Call): Promise<number> {
    const seconds = Number(statsOf(await this.#client.firstUp.stats(call)).get("time"));
    if (!(seconds > 0)) throw new Error("the statistics do not say what time it is");
    return seconds * 1000;
  }

  async read(keys: readonly string[], call: Call): Promise<readonly (Uint8Array | undefined)[]> {
    const found = new Array<Uint8Array | undefined>(keys.length).fill(undefined);
    await this.#client.eachUp(keys, call, async ({ server, places, names }) => {
      const answers = await server.get(call, names, () => "v f t");
      for (let index = 0; index < answers.length; index++) {
        const [answer, place = 0] = [answers[index], places[index]];
        if (answer?.code === "VA") found[place] = bytesOf(answer, names[index] ?? "", keys[place] ?? "");
        else if (answer !== undefined && answer.code !== "EN") throw refusal(answer);
      }
    });
    return found;
  }

  write(records: readonly kit.StoredRecord[], call: Call): Promise<void> {
    const keys = records.map(({ key }) => key);
    return this.#client.collect(keys, call, async ({ server, places, names }, failures) => {
      const sent: string[] = [];
      const answers = await server.ask(call, (batch) => {
        for (let index = 0; index < places.length; index++) {
          const [record, name = ""] = [records[places[index] ?? 0], names[index]];
          if (record && storeRecord(batch, server, name, record, failures)) sent.push(record.key);
        }
      });
      for (let index = 0; index < answers.length; index++) {
        const answer = answers[index];
        if (answer !== undefined && answer.code !== "HD") failures.add(sent[index] ?? "", refusal(answer));
      }
    });
  }

  /** Counts leases without bytes as well. */
  async remove(keys: readonly string[], call: Call): Promise<number> {
    let count = 0;
    await this.#client.collect(keys, call, async ({ server, places, names }, failures) => {
      const removals = names.map((name) => `md ${name}`);
      for (const [index, answer] of (await server.send(call, removals)).entries()) {
        if (answer.code === "HD") count++;
        else if (answer.code !== "NF") failures.add(keys[places[index] ?? 0] ?? "", refusal(answer));
      }
    });
    return count;
  }

  /** Adds up all servers. The details name those that are down. */
  async info(call: Call): Promise<kit.StorageInfo> {
    const { servers } = this.#client;
    const asked = await Promise.allSettled(servers.map((server) => server.stats(call)));
    const stats = asked.flatMap((one) => (one.status === "fulfilled" ? statsOf(one.value) : []));
    // If no server has answered, the first one's error says why.
    if (stats.length === 0 && asked[0]?.status === "rejected") throw asked[0].reason;
    const versions = new Set(stats.flatMap((one) => one.get("version") ?? []));
    const sum = (name: string): number => stats.reduce((total, one) => total + Number(one.get(name) ?? 0), 0);
    const states = servers.map(({ name }, at) => [name, asked[at]?.status === "fulfilled" ? "up" : "down"]);
    return {
      server: `memcached ${[...versions].join(", ")}`,
      records: sum("curr_items"),
      bytes: sum("bytes"),
      details: { servers: servers.length, evictions: sum("evictions"), ...Object.fromEntries(states) },
    };
  }
}
