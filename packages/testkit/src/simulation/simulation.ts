import type { Node, NodeClass } from "cacheme";
import { milliseconds } from "cacheme/driver";
import type { Message } from "../cluster/network.js";
import { busName } from "../cluster/simulated-bus.js";
import { type ClusterOptions, SimulatedCluster } from "../cluster/simulated-cluster.js";
import type { SimulatedServer } from "../cluster/simulated-server.js";
import type { StoredStates } from "../cluster/stored-state.js";
import type { Violation } from "./answer-check.js";
import { Calls } from "./calls.js";
import { type Freshness, freshnessOf } from "./freshness.js";
import type { Knowledge } from "./invalidations.js";
import { QuietChecks } from "./quiet-checks.js";
import { type Change, keys, type Step, shownStep } from "./schedule.js";
import type { Setup } from "./setup.js";
import { simulatedNode } from "./simulated-node.js";

/** The most rounds of messages and timers until every call must be answered. */
const mostRounds = 3_000;

/** The outcome of a schedule. */
export interface Outcome {
  readonly violations: readonly Violation[];
  /** The number of reads that were answered with a value. */
  readonly answered: number;
}

/** The parts of a set-up that all its schedules share. */
export class SimulationSetup {
  readonly cluster: ClusterOptions;
  readonly node: (key: number) => Node<number>;
  readonly nodeClass: NodeClass;
  readonly write: Setup["write"];
  readonly knowledge: Knowledge;
  readonly lease: number | undefined;
  readonly tags: Setup["tags"];
  readonly lateRequests: boolean;
  readonly freshness: Freshness | undefined;

  constructor(setup: Setup) {
    const {
      processes,
      caches,
      capabilities,
      ahead,
      serversAhead,
      serverFaults,
      bus = false,
      lease = 400,
    } = setup;
    const names = caches.map(({ storage }) => storage);
    const remotes = names.filter((name) => name !== localName);
    const locals = names.filter((name) => name === localName);
    this.cluster = { processes, remotes, locals, capabilities, ahead, serversAhead, serverFaults, bus };
    const { node, nodeClass } = simulatedNode(setup);
    this.node = node;
    this.nodeClass = nodeClass;
    this.write = setup.write;
    this.freshness = freshnessOf(setup);
    const localTtl = caches.find(({ storage }) => storage === localName)?.ttl;
    this.knowledge = {
      localTtl:
        localTtl === undefined
          ? undefined
          : milliseconds(localTtl, "ttl of the local tier") + (this.freshness?.window ?? 0),
      bus: bus !== false,
      tolerance: 5,
    };
    this.lease = lease === false ? undefined : milliseconds(lease, "lease of the set-up");
    this.tags = setup.tags;
    this.lateRequests = setup.lateRequests ?? true;
  }
}

/** The name of the storage that each process has for itself. */
const localName = "local";

/** One run of a schedule against a cluster of its own. */
export class Simulation {
  readonly #cluster: SimulatedCluster;
  readonly #calls: Calls;
  readonly #has: { readonly tags: boolean; readonly saves: boolean };
  readonly #dumps = new Map<SimulatedServer, StoredStates>();

  private constructor(
    cluster: SimulatedCluster,
    calls: Calls,
    has: { readonly tags: boolean; readonly saves: boolean },
  ) {
    this.#has = has;
    this.#cluster = cluster;
    this.#calls = calls;
  }

  /**
   * Runs the schedule, lets everything end, and reads once more in each process.
   *
   * @param trace called with each step and each event, for a person to read
   */
  static async run(
    setup: SimulationSetup,
    steps: readonly Step[],
    trace?: (line: string) => void,
  ): Promise<Outcome> {
    const cluster = await SimulatedCluster.start(setup.cluster);
    cluster.network.lateRequests = setup.lateRequests;
    const { tags, freshness } = setup;
    const told = trace === undefined ? undefined : (line: () => string) => trace(line());
    const calls = new Calls({ ...setup, cluster, trace: told });
    const simulation = new Simulation(cluster, calls, {
      tags: tags !== undefined,
      saves: setup.write !== undefined,
    });
    // At first each process hears of the others by the bus.
    await cluster.settle();
    for (const step of steps) await simulation.#take(step);
    await simulation.#finish();
    if (freshness !== undefined && calls.violations.length === 0)
      await new QuietChecks(cluster, calls, freshness).run();
    return { violations: calls.violations, answered: calls.answered };
  }

  async #take(step: Step): Promise<void> {
    const calls = this.#calls;
    calls.tell(() => `- ${shownStep(step)}`);
    switch (step.do) {
      case "get":
      case "fresh":
      case "refresh":
        calls.read(calls.history.actor(step.process), step.key, step.do);
        return;
      case "maxAge":
        calls.read(calls.history.actor(step.process), step.key, step.do, step.ms);
        return;
      case "getAll":
        calls.readAll(calls.history.actor(step.process));
        return;
      case "set":
      case "save":
      case "invalidate":
      case "expire":
      case "invalidateMatching":
      case "invalidateAll":
      case "invalidateTag":
        this.#change(step);
        return;
      case "advance":
        this.#cluster.time.advance(step.ms);
        return;
      case "loseBus":
        this.#cluster.loseBus(step.process % this.#cluster.processes.length);
        return;
      case "cut":
        this.#cut(step.process, step.place);
        return;
      case "reconnect":
        this.#cluster.reconnect();
        return;
      default:
        await this.#takeSlowly(step);
    }
  }

  #change(step: Change): void {
    const { changes, history } = this.#calls;
    const actor = history.actor(step.process);
    switch (step.do) {
      case "set":
        changes.set(actor, step.key);
        return;
      case "save":
        if (this.#has.saves) changes.save(actor, step.key);
        return;
      case "invalidate":
        changes.invalidate(actor, step.key);
        return;
      case "expire":
        changes.expire(actor, step.key);
        return;
      case "invalidateTag":
        if (this.#has.tags) changes.invalidateTag(actor);
        return;
      case "invalidateMatching":
        changes.invalidateMatching(actor, step.key);
        return;
      case "invalidateAll":
        changes.invalidateMatching(actor, undefined);
        return;
      default:
    }
  }

  /** Takes a step that ends when every job has run. */
  async #takeSlowly(step: Step): Promise<void> {
    const { processes } = this.#cluster;
    switch (step.do) {
      case "turn":
        await this.#cluster.turn();
        return;
      case "message":
        await this.#cluster.turn();
        await this.#cluster.end(step.which, step.how);
        return;
      case "serve":
        await this.#serve(step.process % processes.length, ({ kind }) => kind !== "load");
        return;
      case "finish":
        await this.#serve(step.process % processes.length, () => true);
        return;
      case "trouble":
        await this.#fail(step.process % processes.length);
        return;
      case "failSource":
        await this.#endNow("fail", step.process % processes.length, "load");
        return;
      case "news":
        await this.#endNow(step.how, step.process % processes.length, "bus");
        return;
      case "crash":
        await this.#cluster.restart(step.process % processes.length);
        this.#calls.restarted(step.process % processes.length);
        return;
      case "empty":
      case "dump":
      case "restore":
        this.#restart(step.do, step.place);
        return;
      default:
    }
  }

  /** Lets the messages of a process arrive until there are none that the test accepts. */
  async #serve(number: number, accepts: (message: Message) => boolean): Promise<void> {
    const { network } = this.#cluster;
    await this.#cluster.turn();
    for (let round = 0; round < 50; round++) {
      if (network.endWhere("arrive", (message) => message.process === number && accepts(message)) === 0)
        return;
      await this.#cluster.turn();
    }
  }

  async #fail(number: number): Promise<void> {
    for (let round = 0; round < 2; round++) {
      await this.#cluster.turn();
      this.#cluster.network.endWhere("fail", ({ kind, process }) => kind === "request" && process === number);
    }
    await this.#cluster.turn();
  }

  async #endNow(how: "arrive" | "fail", number: number, of: Message["kind"]): Promise<void> {
    if (this.#cluster.network.endWhere(how, ({ kind, process }) => kind === of && process === number) > 0)
      await this.#cluster.turn();
  }

  #cut(process: number, place: number): void {
    const { processes, servers } = this.#cluster;
    const places = [...servers.keys(), busName];
    this.#cluster.cut(process % processes.length, places[place % Math.max(1, places.length)] ?? "");
  }

  #restart(how: "empty" | "dump" | "restore", place: number): void {
    const servers = [...this.#cluster.servers.values()];
    const server = servers[place % Math.max(1, servers.length)];
    if (server === undefined) return;
    const dump = this.#dumps.get(server);
    if (how === "dump") this.#dumps.set(server, server.dump());
    else if (how === "empty") server.restart();
    else if (dump !== undefined) {
      server.restart(dump);
      // Nothing is promised about a server that brings back older data.
      this.#calls.history.restored();
    }
    if (how !== "dump") this.#calls.history.lost = this.#calls.history.origins.next();
  }

  /** Lets everything end. Then every process reads once more, and everything ends again. */
  async #finish(): Promise<void> {
    const calls = this.#calls;
    calls.tell(() => "- everything ends");
    this.#cluster.reconnect();
    await this.#drain();
    for (const actor of calls.history.actors) for (const key of keys) calls.read(actor, key, "get");
    await this.#drain();
    if (calls.unsettled > 0) calls.violates(5, `${calls.unsettled} calls are not answered`);
  }

  async #drain(): Promise<void> {
    const { time } = this.#cluster;
    for (let round = 0; round < mostRounds; round++) {
      await this.#cluster.settle();
      if (this.#calls.unsettled === 0) return;
      const { next } = time;
      if (next === undefined) return;
      time.advance(next - time.now);
    }
  }
}
