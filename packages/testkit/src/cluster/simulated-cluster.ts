import type { RegisterBusOptions } from "cacheme";
import { setImmediate } from "cacheme/driver";
import { type Ending, type Message, Network } from "./network.js";
import { SimulatedBus } from "./simulated-bus.js";
import { type ProcessParts, SimulatedProcess } from "./simulated-process.js";
import { type ServerFault, SimulatedServer } from "./simulated-server.js";
import type { SimulatedCapabilities } from "./simulated-storage.js";
import { MachineClock, VirtualTime } from "./virtual-time.js";

/** The shape of a cluster. */
export interface ClusterOptions {
  /** The number of processes. Default: 2. */
  readonly processes?: number | undefined;
  /** The names of the remote storages. Each has a server that all processes share. Default: none. */
  readonly remotes?: readonly string[] | undefined;
  /** The names of the local storages, which each process has for itself. Default: none. */
  readonly locals?: readonly string[] | undefined;
  /** Whether the processes have a bus, or its options. Default: `false`. */
  readonly bus?: boolean | RegisterBusOptions | undefined;
  /** The capabilities of the remote storages. Default: all. */
  readonly capabilities?: SimulatedCapabilities | undefined;
  /**
   * Milliseconds by which the clock of each process is ahead of the true time; negative if it is
   * behind. Default: 0 each.
   */
  readonly ahead?: readonly number[] | undefined;
  /** The same for the clocks of the servers, in the order of `remotes`. */
  readonly serversAhead?: readonly number[] | undefined;
  /** Faults to plant in every server. Default: none. */
  readonly serverFaults?: readonly ServerFault[] | undefined;
}

/**
 * A cluster of processes in one process, with virtual time. No message arrives, and no time passes,
 * before you say so. So a test decides every order of events, and repeats it exactly.
 *
 * @example
 * ```ts
 * const cluster = await SimulatedCluster.start({ remotes: ["redis"] });
 * const user = await cluster.complete(cluster.process(0).cacheme.get(new UserNode(1)));
 * await cluster.complete(cluster.process(1).cacheme.invalidate(new UserNode(1)));
 * await cluster.close();
 * ```
 */
export class SimulatedCluster {
  readonly time: VirtualTime = new VirtualTime();
  readonly network: Network = new Network();
  readonly servers: ReadonlyMap<string, SimulatedServer>;
  /** The bus; no process uses it unless the options say so. */
  readonly bus: SimulatedBus = new SimulatedBus(this.network);
  readonly #options: ClusterOptions;
  readonly #processes: SimulatedProcess[] = [];

  private constructor(options: ClusterOptions) {
    const { remotes = [], serversAhead = [], serverFaults = [] } = options;
    this.#options = options;
    this.servers = new Map(
      remotes.map((name, place) => {
        const clock = new MachineClock(this.time, serversAhead[place] ?? 0);
        return [name, new SimulatedServer(name, clock, serverFaults)];
      }),
    );
  }

  /** Starts a cluster, with its storages connected. */
  static async start(options: ClusterOptions = {}): Promise<SimulatedCluster> {
    const cluster = new SimulatedCluster(options);
    const { processes = 2 } = options;
    for (let number = 0; number < processes; number++) await cluster.#startProcess(number);
    return cluster;
  }

  /** The processes that run, by their numbers. */
  get processes(): readonly SimulatedProcess[] {
    return this.#processes;
  }

  /** Returns the process of that number, from 0. */
  process(number: number): SimulatedProcess {
    const process = this.#processes[number];
    if (process !== undefined) return process;
    throw new Error(`Expected a process from 0 to ${this.#processes.length - 1}, got ${number}.`);
  }

  /** Returns the server of a remote storage. */
  server(name: string): SimulatedServer {
    const server = this.servers.get(name);
    if (server !== undefined) return server;
    throw new Error(`Expected a remote storage of ${[...this.servers.keys()].join(", ")}, got "${name}".`);
  }

  /** The messages under way, the oldest first: requests, answers, loads, messages of the bus. */
  get messages(): readonly Message[] {
    return this.network.pending;
  }

  /** Runs every job that only waits for promises and ticks. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Ends the message of that place among {@link messages}, and runs every job that follows. */
  async end(place: number, how: Ending = "arrive"): Promise<void> {
    this.network.end(place, how);
    await this.turn();
  }

  /** Lets every message arrive, also those that are sent meanwhile, until none is under way. */
  async settle(): Promise<void> {
    await this.turn();
    while (this.network.endWhere("arrive") > 0) await this.turn();
  }

  /**
   * Lets every message arrive, and time pass where a timer is waited for, until the call has
   * settled.
   *
   * @throws any error of the call; an error if nothing is left that could settle it
   * @example
   * ```ts
   * const user = await cluster.complete(cluster.process(0).cacheme.get(new UserNode(1)));
   * ```
   */
  async complete<T>(call: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    call.then(settled, settled);
    await this.settle();
    while (!isSettled) {
      const { next } = this.time;
      if (next === undefined)
        throw new Error("No message and no timer is left, and the call has not settled.");
      await this.advance(next - this.time.now);
      await this.settle();
    }
    return await call;
  }

  /** Lets time pass, and runs every job that follows. Messages under way remain there. */
  async advance(ms: number): Promise<void> {
    this.time.advance(ms);
    await this.turn();
  }

  /** Separates a process from a storage, or from the bus, until {@link reconnect}. */
  cut(process: number, place: string): void {
    this.network.cut(process, place);
  }

  /**
   * Ends the subscription of a process to the bus, and reports the loss to it. It subscribes again
   * when the message `subscribe` arrives.
   */
  loseBus(process: number): void {
    this.bus.lose(process);
  }

  /** Connects every process with every storage again. */
  reconnect(): void {
    this.network.reconnect();
  }

  /** Crashes a process, and starts its program again: without entries, reads and invalidations. */
  async restart(number: number): Promise<void> {
    this.#processes[number]?.crash();
    await this.#startProcess(number);
  }

  /** Closes every process, and lets every message arrive. */
  async close(): Promise<void> {
    this.reconnect();
    await this.complete(Promise.all(this.#processes.map(({ cacheme }) => cacheme.close())));
  }

  async #startProcess(number: number): Promise<void> {
    const { locals = [], capabilities = {}, ahead = [], bus = false } = this.#options;
    const parts: ProcessParts = {
      network: this.network,
      clock: new MachineClock(this.time, ahead[number] ?? 0),
      locals,
      servers: this.servers.values(),
      capabilities,
      bus: bus === false ? undefined : { bus: this.bus, options: bus === true ? {} : bus },
    };
    this.#processes[number] = await new SimulatedProcess(number, parts).start(parts);
  }
}
