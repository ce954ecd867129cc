import { clearTimeout, type KeyFailures, Rendezvous, type StorageCall, setTimeout } from "cacheme/driver";
import type { Settings } from "./options.js";
import { Server } from "./server.js";
import { ServerCall } from "./server-call.js";
import { isDown } from "./trouble.js";

/** The servers, and calls to those that have the keys. */
export class Client {
  readonly servers: readonly Server[];
  readonly #settings: Settings;
  readonly #rendezvous = new Rendezvous<Server>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.servers = settings.servers.map((server) => new Server(server, settings));
    this.#rendezvous.members = this.servers;
  }

  /** Whether there are several servers. */
  get isPool(): boolean {
    return this.servers.length > 1;
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
   * Opens the servers. One that answers is enough, because one that is down costs only its own keys. The others get half of
   * the time.
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

  /** Calls each server that has one of the items. If a server fails, the others are done before the call rejects. */
  async each<T>(
    names: readonly string[],
    call: StorageCall,
    act: (server: ServerCall) => Promise<T>,
  ): Promise<readonly T[]> {
    const servers = this.#split(names, call);
    const [only] = servers;
    if (only !== undefined && servers.length === 1) return [await act(only)];
    const outcomes = await Promise.allSettled(servers.map(act));
    return outcomes.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    });
  }

  /**
   * Calls each server, but skips one of a pool that is known to be down, as long as another is up. A server that is lost while it
   * is asked fails the call.
   */
  async eachUp(
    names: readonly string[],
    call: StorageCall,
    act: (server: ServerCall) => Promise<void>,
  ): Promise<void> {
    await this.each(names, call, async (server) => {
      try {
        await act(server);
      } catch (error) {
        if (!this.isPool || !isDown(error) || !this.servers.some(({ isReady }) => isReady)) throw error;
      }
    });
  }

  /**
   * Calls each server, and adds the keys of a server that fails to the failures.
   *
   * @throws the error of the first server if all have failed
   */
  async collect<T>(
    keys: readonly string[],
    names: readonly string[],
    failures: KeyFailures,
    call: StorageCall,
    act: (server: ServerCall) => Promise<T>,
  ): Promise<readonly T[]> {
    const servers = this.#split(names, call);
    const outcomes = await Promise.allSettled(servers.map(act));
    const [first] = outcomes;
    if (first?.status === "rejected" && outcomes.every(({ status }) => status === "rejected"))
      throw first.reason;
    return outcomes.flatMap((outcome, index) => {
      if (outcome.status === "fulfilled") return [outcome.value];
      for (const place of servers[index]?.places ?? []) failures.add(keys[place] ?? "", outcome.reason);
      return [];
    });
  }

  #split(names: readonly string[], call: StorageCall): readonly ServerCall[] {
    const [only] = this.servers;
    if (only !== undefined && !this.isPool) {
      return [
        new ServerCall(
          only,
          names.map((_, place) => place),
          call,
          false,
        ),
      ];
    }
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
