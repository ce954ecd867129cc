import { type KeyFailures, Rendezvous, within } from "cacheme/driver";
import type { Settings } from "./options.js";
import { Server } from "./server.js";
import { isDown } from "./trouble.js";

/** One server's part of a batch: the places of its keys, in order. */
export interface Part {
  readonly server: Server;
  readonly places: readonly number[];
}

type Act = (part: Part) => Promise<void>;

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

  /** Calls each server that has an item. If one fails, the call rejects when the others are done. */
  async each(names: readonly string[], act: Act): Promise<void> {
    const outcomes = await this.#outcomes(names, act);
    for (const { outcome } of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /**
   * Calls each server, but skips one of a pool that is known to be down, as long as another is up.
   * A server that is lost while it is asked fails the call.
   */
  eachUp(names: readonly string[], act: Act): Promise<void> {
    if (!this.isPool) return this.each(names, act);
    return this.each(names, async (part) => {
      try {
        await act(part);
      } catch (error) {
        if (!isDown(error) || !this.servers.some(({ isReady }) => isReady)) throw error;
      }
    });
  }

  /**
   * Calls each server, and adds the keys of a server that fails to the failures.
   *
   * @throws the error of the first server if all have failed, BatchError if some keys have
   */
  async collect(
    keys: readonly string[],
    names: readonly string[],
    failures: KeyFailures,
    act: Act,
  ): Promise<void> {
    const outcomes = await this.#outcomes(names, act);
    const isEach = outcomes.every(({ outcome }) => outcome.status === "rejected");
    for (const { part, outcome } of outcomes) {
      if (outcome.status === "fulfilled") continue;
      if (isEach) throw outcome.reason;
      for (const place of part.places) failures.add(keys[place] ?? "", outcome.reason);
    }
    failures.throwIfAny();
  }

  async #outcomes(names: readonly string[], act: Act): Promise<readonly Outcome[]> {
    const [only] = this.servers;
    if (only !== undefined && !this.isPool) {
      // The usual case is the cheapest: an error is the call's.
      await act({ server: only, places: names.map((_, place) => place) });
      return [];
    }
    const placesOf = new Map(this.servers.map((server): [Server, number[]] => [server, []]));
    for (const [place, name] of names.entries()) {
      const server = this.serverOf(name);
      if (server !== undefined) placesOf.get(server)?.push(place);
    }
    const parts = [...placesOf].flatMap(([server, places]) => (places.length > 0 ? { server, places } : []));
    const outcomes = await Promise.allSettled(parts.map(act));
    return outcomes.flatMap((outcome, index) => {
      const part = parts[index];
      return part === undefined ? [] : { part, outcome };
    });
  }
}

interface Outcome {
  readonly part: Part;
  readonly outcome: PromiseSettledResult<void>;
}
