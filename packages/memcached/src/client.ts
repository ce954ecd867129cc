import { type Driver, KeyFailures, Rendezvous, type StorageCall, within } from "cacheme/driver";
import { itemName } from "./item-name.js";
import type { Settings } from "./options.js";
import { Server } from "./server.js";
import { isDown } from "./trouble.js";

/** One server's part of a call. */
export interface Part {
  readonly server: Server;
  readonly call: StorageCall;
  /** The places of the server's keys in the batch, in order. */
  readonly places: readonly number[];
  /** The names of their items. */
  readonly names: readonly string[];
}

type Act = (part: Part) => Promise<void>;

/** A method of the driver, for a client's servers. */
export type Method<Name extends "acquire" | "fill" | "release" | "extend" | "ensure" | "bump" | "touch"> = (
  client: Client,
  ...given: Parameters<Required<Driver>[Name]>
) => ReturnType<Required<Driver>[Name]>;

/** The servers, and calls to those that have the keys. */
export class Client {
  readonly servers: readonly Server[];
  /** Whether there are several servers. */
  readonly isPool: boolean;
  readonly #connectTimeout: number;
  readonly #rendezvous = new Rendezvous<Server>();

  constructor(settings: Settings) {
    this.#connectTimeout = settings.connectTimeout;
    this.servers = settings.servers.map((server) => new Server(server, settings));
    this.isPool = this.servers.length > 1;
    this.#rendezvous.members = this.servers;
  }

  /** The server that has an item. */
  serverOf(name: string): Server | undefined {
    return this.#rendezvous.of(name);
  }

  /** The first server by name that is up, or the first of all if none is. */
  get firstUp(): Server {
    const { members } = this.#rendezvous;
    const first = members.find(({ isReady }) => isReady) ?? members[0];
    if (first === undefined) throw new Error("there is no server");
    return first;
  }

  /**
   * Opens the servers. One that answers is enough, because one that is down costs only its own
   * keys. The others get half of the time.
   */
  async open(): Promise<void> {
    const attempts = this.servers.map((server) => server.untilReady());
    if (this.isPool) await within(this.#connectTimeout / 2, Promise.allSettled(attempts), () => {});
    await Promise.any(attempts).catch(() => attempts[0]);
    for (const server of this.servers) server.persist();
  }

  close(): void {
    for (const server of this.servers) server.close();
  }

  /** Calls each server that has a key. If one fails, the call rejects when the others are done. */
  async each(keys: readonly string[], call: StorageCall, act: Act): Promise<void> {
    const outcomes = await this.#outcomes(keys, call, act);
    for (const { outcome } of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /**
   * Calls each server, but skips one of a pool that is known to be down, as long as another is up.
   * A server that is lost while it is asked fails the call.
   */
  eachUp(keys: readonly string[], call: StorageCall, act: Act): Promise<void> {
    if (!this.isPool) return this.each(keys, call, act);
    return this.each(keys, call, async (part) => {
      try {
        await act(part);
      } catch (error) {
        if (!isDown(error) || !this.servers.some(({ isReady }) => isReady)) throw error;
      }
    });
  }

  /**
   * Calls each server, and collects the keys that fail, with those of a server that fails.
   *
   * @throws the error of the first server if all have failed
   */
  async collect(
    keys: readonly string[],
    call: StorageCall,
    act: (part: Part, failures: KeyFailures) => Promise<void>,
  ): Promise<void> {
    const failures = new KeyFailures(keys.length);
    const outcomes = await this.#outcomes(keys, call, (part) => act(part, failures));
    const isEach = outcomes.every(({ outcome }) => outcome.status === "rejected");
    for (const { part, outcome } of outcomes) {
      if (outcome.status === "fulfilled") continue;
      if (isEach) throw outcome.reason;
      for (const place of part.places) failures.add(keys[place] ?? "", outcome.reason);
    }
    failures.throwIfAny();
  }

  async #outcomes(keys: readonly string[], call: StorageCall, act: Act): Promise<readonly Outcome[]> {
    const names = keys.map(itemName);
    const [only] = this.servers;
    if (only !== undefined && !this.isPool) {
      // The usual case is the cheapest: an error is the call's.
      await act({ server: only, call, places: keys.map((_, place) => place), names });
      return [];
    }
    const parts = new Map<Server, Part & { readonly places: number[]; readonly names: string[] }>();
    for (const [place, name] of names.entries()) {
      const server = this.serverOf(name);
      if (server === undefined) continue;
      const part = parts.get(server) ?? { server, call, places: [], names: [] };
      parts.set(server, part);
      part.places.push(place);
      part.names.push(name);
    }
    const acts = [...parts.values()].map(async (part): Promise<Outcome> => {
      const [outcome] = await Promise.allSettled([act(part)]);
      return { part, outcome };
    });
    return Promise.all(acts);
  }
}

interface Outcome {
  readonly part: Part;
  readonly outcome: PromiseSettledResult<void>;
}
