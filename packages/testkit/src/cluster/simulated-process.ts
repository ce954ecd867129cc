import { Cacheme, memory, type RegisterBusOptions } from "cacheme";
import type { Sender } from "./exchange.js";
import { hold } from "./hold.js";
import type { Network } from "./network.js";
import type { SimulatedBus } from "./simulated-bus.js";
import type { SimulatedServer } from "./simulated-server.js";
import { type SimulatedCapabilities, SimulatedStorage } from "./simulated-storage.js";
import type { MachineClock } from "./virtual-time.js";

/** The parts of a cluster that a process is made of. */
export interface ProcessParts {
  readonly network: Network;
  readonly clock: MachineClock;
  /** The names of the local storages, and the servers of the remote ones. */
  readonly locals: readonly string[];
  readonly servers: Iterable<SimulatedServer>;
  readonly capabilities: SimulatedCapabilities;
  readonly bus: { readonly bus: SimulatedBus; readonly options: RegisterBusOptions } | undefined;
}

/** One process of a cluster: a `Cacheme` of its own, with a clock of its own. */
export class SimulatedProcess {
  /** The number of the process, from 0. A process that was started again keeps it. */
  readonly number: number;
  readonly clock: MachineClock;
  /** The space of the process. Read, write and invalidate by it. */
  readonly cacheme: Cacheme;
  readonly #network: Network;
  readonly #sender: Sender;

  constructor(number: number, parts: ProcessParts) {
    this.number = number;
    this.clock = parts.clock;
    this.#network = parts.network;
    this.#sender = { process: number, isDead: false };
    this.cacheme = new Cacheme({ clock: parts.clock });
  }

  /** Registers the storages. */
  async start({ network, locals, servers, capabilities, bus }: ProcessParts): Promise<this> {
    for (const name of locals) await this.cacheme.registerStorage(name, memory({ maxSize: localSize }));
    for (const server of servers) {
      const storage = new SimulatedStorage(server, network, this.#sender, capabilities);
      await this.cacheme.registerStorage(server.name, storage);
    }
    if (bus !== undefined) await this.cacheme.registerBus(bus.bus.of(this.#sender), bus.options);
    return this;
  }

  /** Whether the process has crashed. */
  get isDead(): boolean {
    return this.#sender.isDead;
  }

  /**
   * Waits until the schedule ends the work, such as a load, which counts as a message under way.
   *
   * @throws SourceError if the schedule lets the work fail
   */
  hold(operation: string, keys: readonly string[] = []): Promise<void> {
    return hold(this.#network, this.#sender, operation, keys);
  }

  /** Stops the process at once. Its requests under way still arrive, its answers do not. */
  crash(): void {
    this.#sender.isDead = true;
    this.clock.stop();
  }
}

/** Entries of each local storage. Schedules are short, so nothing is evicted. */
const localSize = 64;
