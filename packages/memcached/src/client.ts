import { type KeyFailures, Rendezvous, type StorageCall, within } from "cacheme/driver";
import type { Settings } from "./options.js";
import { Server } from "./server.js";
import { ServerCall } from "./server-call.js";
import { isDown } from "./trouble.js";

type Act = (part: ServerCall) => Promise<void>;

/** The servers, and calls to those that have the keys. */
export class Client {
  readonly servers: readonly Server[];
  /** Whether there are several servers. */
  readonly isPool: boolean;
  readonly #settings: Settings;
  readonly #rendezvous = new Rendezvous<Server>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.servers = settings.servers.map((server) => new Server(server, settings));
    this.isPool = this.servers.length > 1;
    this.#rendezvous.members = this.servers;
  }

  /** The server that has an item. */
  serverOf(name: string): Server | undefined {
    return this.#rendezvous.of(name);
  }

  /**
   * Opens the servers. One that answers is enough, because one that is down costs only its own
   * keys. The others get half of the time.
   */
  async open(): Promise<void> {
    const attempts = this.servers.map((server) => server.untilReady());
    if (this.isPool) await within(this.#settings.connectTimeout / 2, Promise.allSettled(attempts), () => {});
    await Promise.any(attempts).catch(() => attempts[0]);
    for (const server of this.servers) server.persist();
  }

  close(): void {
    for (const server of this.servers) server.close();
  }

  /** A call to every server. */
  toAll(call: StorageCall): readonly ServerCall[] {
    return this.servers.map((server) => new ServerCall(server, [], call, this.isPool));
  }

  /** A call to the first server by name that is up, or to the first of all if none is. */
  toFirstUp(call: StorageCall): ServerCall {
    const { members } = this.#rendezvous;
    const first = members.find(({ isReady }) => isReady) ?? members[0];
    if (first === undefined) throw new Error("there is no server");
    return new ServerCall(first, [], call, this.isPool);
  }

  /** Calls each server that has an item. If one fails, the call rejects when the others are done. */
  async each(names: readonly string[], call: StorageCall, act: Act): Promise<void> {
    const outcomes = await this.#outcomes(names, call, act);
    for (const { outcome } of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /**
   * Calls each server, but skips one of a pool that is known to be down, as long as another is up.
   * A server that is lost while it is asked fails the call.
   */
  eachUp(names: readonly string[], call: StorageCall, act: Act): Promise<void> {
    if (!this.isPool) return this.each(names, call, act);
    return this.each(names, call, async (part) => {
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
   * @throws the error of the first server if all have failed
   */
  async collect(
    keys: readonly string[],
    names: readonly string[],
    failures: KeyFailures,
    call: StorageCall,
    act: Act,
  ): Promise<void> {
    const outcomes = await this.#outcomes(names, call, act);
    const failed = outcomes.filter(({ outcome }) => outcome.status === "rejected");
    for (const { part, outcome } of failed) {
      if (outcome.status === "fulfilled") continue;
      if (failed.length === outcomes.length) throw outcome.reason;
      for (const place of part.places) failures.add(keys[place] ?? "", outcome.reason);
    }
  }

  async #outcomes(names: readonly string[], call: StorageCall, act: Act): Promise<readonly Outcome[]> {
    const [only] = this.servers;
    if (only !== undefined && !this.isPool) {
      // The usual case is the cheapest: an error is the call's.
      const places = names.map((_, place) => place);
      await act(new ServerCall(only, places, call, false));
      return [];
    }
    const parts = this.#split(names, call);
    const outcomes = await Promise.allSettled(parts.map(act));
    return parts.flatMap((part, index) => {
      const outcome = outcomes[index];
      return outcome === undefined ? [] : [{ part, outcome }];
    });
  }

  #split(names: readonly string[], call: StorageCall): readonly ServerCall[] {
    const places = new Map(this.servers.map((server): [Server, number[]] => [server, []]));
    for (const [place, name] of names.entries()) {
      const server = this.serverOf(name);
      if (server !== undefined) places.get(server)?.push(place);
    }
    return [...places].flatMap(([server, its]) =>
      its.length > 0 ? [new ServerCall(server, its, call, true)] : [],
    );
  }
}

interface Outcome {
  readonly part: ServerCall;
  readonly outcome: PromiseSettledResult<void>;
}
