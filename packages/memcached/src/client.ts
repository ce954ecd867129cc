import { clearTimeout, type KeyFailures, Rendezvous, type StorageCall, setTimeout } from "cacheme/driver";
import type { Settings } from "./options.js";
import { Server } from "./server.js";
import { ServerCall } from "./server-call.js";
import { isDown } from "./trouble.js";

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

  /** Whether one of the servers that were reached is a proxy. */
  get isBehindProxy(): boolean {
    return this.servers.some(({ isProxy }) => isProxy);
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
    if (this.isPool) {
      let timer: NodeJS.Timeout | undefined;
      const longEnough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, this.#settings.connectTimeout / 2).unref();
      });
      await Promise.race([Promise.allSettled(attempts), longEnough]);
      clearTimeout(timer);
    }
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

  /**
   * Calls each server that has one of the items. If a server fails, the others are done before the
   * call rejects.
   */
  async each(
    names: readonly string[],
    call: StorageCall,
    act: (part: ServerCall) => Promise<void>,
  ): Promise<void> {
    const [only] = this.servers;
    if (only !== undefined && !this.isPool) return act(this.#whole(only, names, call));
    const outcomes = await Promise.allSettled(this.#split(names, call).map(act));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /**
   * Calls each server, but skips one of a pool that is known to be down, as long as another is up.
   * A server that is lost while it is asked fails the call.
   */
  eachUp(
    names: readonly string[],
    call: StorageCall,
    act: (part: ServerCall) => Promise<void>,
  ): Promise<void> {
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
    act: (part: ServerCall) => Promise<void>,
  ): Promise<void> {
    const [only] = this.servers;
    if (only !== undefined && !this.isPool) return act(this.#whole(only, names, call));
    const parts = this.#split(names, call);
    const outcomes = await Promise.allSettled(parts.map(act));
    const [first] = outcomes;
    if (first?.status === "rejected" && outcomes.every(({ status }) => status === "rejected"))
      throw first.reason;
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") continue;
      for (const place of parts[index]?.places ?? []) failures.add(keys[place] ?? "", outcome.reason);
    }
  }

  #whole(only: Server, names: readonly string[], call: StorageCall): ServerCall {
    const places = names.map((_, place) => place);
    return new ServerCall(only, places, call, false);
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
