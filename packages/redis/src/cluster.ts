import { backOff, pause } from "cacheme/driver";
import { type Attempt, type Client, pipelined } from "./client.js";
import { type ClusterNodes, hostOf, namedIn } from "./cluster-nodes.js";
import { answersOf, type KeyCommand, type Outcome } from "./commands.js";
import type { Connection } from "./connection.js";
import type { NatMap } from "./connection-options.js";
import { slotOf } from "./slot.js";

export interface ClusterOptions {
  readonly nodes: Pick<ClusterNodes, keyof ClusterNodes>;
  /** The prefix of every key on the server. The slot is that of the prefixed key. */
  readonly keyPrefix: string;
  /** Whether the nodes' clients add the prefix. */
  readonly nodesPrefix: boolean;
  readonly natMap: NatMap | undefined;
}

/** One command on its way to the node that has its key. */
interface Route {
  readonly command: KeyCommand;
  /** Its place in the batch. */
  readonly index: number;
  readonly slot: number;
  /** The node that is importing the slot, and has the key already (ASK). */
  readonly askAt?: string | undefined;
}

/** The most redirections that one command follows. */
const mostRounds = 16;
/** Pauses for a slot that no node serves at the moment: 0.8 to 1.6 seconds together. */
const mostPauses = 5;

/**
 * A Redis Cluster: each key has its node. A batch is one pipeline per node, and all nodes work at
 * once. Each command has one key, because a node refuses a command with keys of several slots, even
 * if it serves all of them.
 *
 * A node that redirects a command (MOVED, ASK) or cannot serve it now (TRYAGAIN, CLUSTERDOWN) has
 * not carried it out. Only such commands are sent again.
 */
export class Cluster implements Client {
  readonly takesManyKeys = false;
  readonly #nodes: ClusterOptions["nodes"];
  readonly #options: ClusterOptions;

  constructor(options: ClusterOptions) {
    this.#nodes = options.nodes;
    this.#options = options;
  }

  open(): Promise<void> {
    return this.#nodes.open();
  }

  close(): Promise<void> {
    return this.#nodes.close();
  }

  async read(keys: readonly string[], attempt: Attempt): Promise<(Buffer | null)[]> {
    const commands = keys.map((key): KeyCommand => ({ run: "mget", key, args: [] }));
    return answersOf(await this.each(commands, attempt)).map((answer) => {
      const value: unknown = Array.isArray(answer) ? answer[0] : null;
      return Buffer.isBuffer(value) ? value : null;
    });
  }

  async remove(keys: readonly string[], attempt: Attempt): Promise<number> {
    const commands = keys.map((key): KeyCommand => ({ run: "unlink", key, args: [] }));
    const counts = answersOf(await this.each(commands, attempt)).map(Number);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async each(commands: readonly KeyCommand[], attempt: Attempt): Promise<Outcome[]> {
    const { keyPrefix, nodesPrefix } = this.#options;
    const outcomes: Outcome[] = commands.map(() => [null, null]);
    let routes = commands.map((command, index): Route => {
      const key = `${keyPrefix}${command.key}`;
      return { command: nodesPrefix ? command : { ...command, key }, index, slot: slotOf(key) };
    });
    let pauses = 0;
    for (let round = 0; routes.length > 0 && round <= mostRounds; round++) {
      const groups = await this.#groups(routes);
      const sent = await Promise.all(groups.map((group) => this.#send(group, outcomes, attempt)));
      const unserved = sent.flatMap((one) => one.unserved);
      routes = sent.flatMap((one) => one.redirected);
      if (attempt.call.isLate) break;
      if (unserved.length > 0 && pauses < mostPauses) {
        await pause(backOff(pauses++));
        await this.refresh().catch(() => {});
        if (attempt.call.isLate) break;
        routes.push(...unserved);
      }
      // In the order of the batch: of two records with one key the later one wins.
      routes.sort((a, b) => a.index - b.index);
    }
    return outcomes;
  }

  masters(): readonly Connection[] {
    return this.#nodes.masters();
  }

  get version(): number {
    return this.#nodes.version;
  }

  refresh(): Promise<void> {
    return this.#nodes.refresh();
  }

  async #groups(routes: readonly Route[]): Promise<Group[]> {
    const groups = this.#grouped(routes) ?? (await this.refresh().then(() => this.#grouped(routes)));
    if (groups === undefined) throw new Error("no node of the cluster serves some of the slots");
    return groups;
  }

  /** Returns `undefined` if a slot's node is not known. */
  #grouped(routes: readonly Route[]): Group[] | undefined {
    const groups = new Map<string | Connection, Group>();
    for (const route of routes) {
      const { askAt, slot } = route;
      const connection = askAt === undefined ? this.#nodes.masterOf(slot) : this.#nodes.at(askAt);
      if (connection === undefined) return undefined;
      const id = askAt ?? connection;
      const group = groups.get(id);
      if (group === undefined) groups.set(id, { connection, asking: askAt !== undefined, routes: [route] });
      else group.routes.push(route);
    }
    return [...groups.values()];
  }

  /** Sends a group to its node, notes the outcomes, and returns the commands to send again. */
  async #send({ connection, asking, routes }: Group, outcomes: Outcome[], attempt: Attempt): Promise<Again> {
    const sender = await attempt.on(connection);
    const commands = routes.map(({ command }) => command);
    const answers = await pipelined(sender, commands, attempt, asking);
    const again: Again = { redirected: [], unserved: [] };
    for (const [position, route] of routes.entries()) {
      const outcome = answers[position] ?? [new Error("no answer"), null];
      outcomes[route.index] = outcome;
      if (outcome[0] !== null) this.#route(route, outcome[0], sender, again);
    }
    return again;
  }

  /** Decides from a command's error whether and when to send it again. */
  #route(route: Route, { message }: Error, sender: Connection, { redirected, unserved }: Again): void {
    const [word, , address = ""] = message.split(" ");
    const named = (): string => namedIn(address, hostOf(sender), this.#options.natMap);
    switch (word) {
      case "MOVED":
        this.#nodes.moved(route.slot, named());
        this.refresh().catch(() => {});
        redirected.push({ ...route, askAt: undefined });
        break;
      case "ASK":
        redirected.push({ ...route, askAt: named() });
        break;
      case "TRYAGAIN":
      case "CLUSTERDOWN":
      case "MASTERDOWN":
      case "READONLY":
        unserved.push({ ...route, askAt: undefined });
    }
  }
}

interface Group {
  readonly connection: Connection;
  readonly asking: boolean;
  readonly routes: Route[];
}

/** The commands of one round that were not carried out. Nobody serves the unserved at the moment. */
interface Again {
  readonly redirected: Route[];
  readonly unserved: Route[];
}
