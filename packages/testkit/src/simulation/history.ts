import type { Ending, Message } from "../cluster/network.js";
import { busName } from "../cluster/simulated-bus.js";
import type { SimulatedCluster } from "../cluster/simulated-cluster.js";
import { type Activity, Actor } from "./actor.js";
import type { Invalidation } from "./invalidations.js";
import type { Kept } from "./load-check.js";
import { numberIn, type Origin, Origins } from "./origins.js";
import { keys } from "./schedule.js";
import { keyOf } from "./simulated-node.js";

/** The true order of all events of a cluster: of calls, loads, and messages. */
export class History {
  readonly origins: Origins = new Origins();
  readonly actors: Actor[] = [];
  invalidations: Invalidation[] = [];
  /** The value of each key that a server took last; `undefined` if there are several servers. */
  readonly kept: (Kept | undefined)[] = [];
  /** The event at which something last overtook loads, by key; infinity while it is under way. */
  readonly #overtaken = keys.map(() => 0);
  readonly #overtaking = keys.map(() => 0);
  /** Called when a server has stored a value. */
  onTaken: (origin: Origin) => void = () => {};
  /** The event at which a server last lost data. */
  lost = 0;
  /** The event at which a server last came back with older data. */
  #restored = 0;
  readonly #cluster: SimulatedCluster;
  /** The processes by the numbers of what they have published. */
  readonly #publications = new Map<number, Actor>();
  readonly #requests = new Map<number, { readonly actor: Actor; readonly activity: Activity }>();

  readonly #trace: ((line: () => string) => void) | undefined;

  constructor(cluster: SimulatedCluster, trace: ((line: () => string) => void) | undefined) {
    this.#cluster = cluster;
    this.#trace = trace;
    cluster.network.onSend = (message) => this.#sent(message);
    cluster.network.onEnd = (message, how) => this.#ended(message, how);
    cluster.bus.onBring = (message) => this.#brings(message);
    cluster.bus.onPublish = (process, texts, number) => this.#published(process, texts, number);
    for (const server of cluster.servers.values()) {
      server.onRefuse = ({ bytes }) => {
        const origin = this.origins.of(numberIn(bytes));
        if (origin !== undefined) origin.refused = true;
      };
      server.onStore = ({ bytes, ttl, freshFor }) => {
        const origin = this.origins.of(numberIn(bytes));
        if (origin === undefined) return;
        origin.taken = true;
        this.onTaken(origin);
        const until = cluster.time.now + (ttl ?? 0) - keptFor;
        if (cluster.servers.size === 1) {
          this.kept[origin.key] = { born: origin.born, storedAt: this.origins.next(), until };
        }
        // An entry that is made stale is written back, and not renewed.
        if (freshFor !== 0) origin.keptAt = this.#cluster.time.now;
      };
    }
    for (const process of cluster.processes) this.starts(process.number);
  }

  /** Records that a process has started. */
  starts(number: number): Actor {
    const process = this.#cluster.processes[number];
    if (process === undefined) throw new Error(`The cluster has no process ${number}.`);
    const actor = new Actor(process, keys, () => this.#cluster.time.now);
    this.actors[number] = actor;
    return actor;
  }

  actor(number: number): Actor {
    const actor = this.actors[number % this.actors.length];
    if (actor === undefined) throw new Error("The cluster has no process.");
    return actor;
  }

  /** Returns the event up to which loads of the key are overtaken. */
  overtaken(key: number): number {
    return (this.#overtaking[key] ?? 0) > 0 ? Number.POSITIVE_INFINITY : (this.#overtaken[key] ?? 0);
  }

  overtakes(concerned: readonly number[]): void {
    for (const key of concerned) this.#overtaking[key] = (this.#overtaking[key] ?? 0) + 1;
  }

  /** Ends what {@link overtakes} began. */
  hasOvertaken(concerned: readonly number[]): void {
    const event = this.origins.next();
    for (const key of concerned) {
      this.#overtaking[key] = (this.#overtaking[key] ?? 0) - 1;
      this.#overtaken[key] = event;
    }
  }

  invalidate(
    actor: Actor,
    { key, tag, isWide = false }: { key?: number | undefined; tag?: string; isWide?: boolean },
  ): Invalidation {
    const invalidation: Invalidation = {
      actor,
      key,
      tag,
      isWide,
      called: this.origins.next(),
      settled: Number.POSITIVE_INFINITY,
      isDone: false,
      published: undefined,
      heard: new Map(),
      cleanAt: new Map(),
      missing: new Set(this.#cluster.servers.keys()),
    };
    this.invalidations.push(invalidation);
    return invalidation;
  }

  settles(invalidation: Invalidation, isDone: boolean): void {
    invalidation.settled = this.origins.next();
    invalidation.isDone = isDone;
    if (!this.isPromised(invalidation.called)) {
      this.invalidations = this.invalidations.filter((one) => one !== invalidation);
    } else if (isDone) this.#awaitClean(invalidation);
  }

  /** Forgets an invalidation about which nothing is promised. */
  forgets(invalidation: Invalidation): void {
    invalidation.settled = this.origins.next();
    this.invalidations = this.invalidations.filter((one) => one !== invalidation);
  }

  #awaitClean(invalidation: Invalidation): void {
    for (const actor of this.actors) if (actor !== invalidation.actor) actor.awaitsClean(invalidation);
  }

  /** Returns whether anything is promised about what happened then: no server lost it since. */
  isPromised(event: number): boolean {
    return event > this.#restored;
  }

  /** Forgets every promise, because a server brings back older data. */
  restored(): void {
    this.#restored = this.origins.next();
    this.invalidations = this.invalidations.filter(({ settled }) => settled === Number.POSITIVE_INFINITY);
    for (const { given } of this.actors) for (const values of given) values.length = 0;
  }

  #published(process: number, texts: readonly string[], number: number): void {
    const actor = this.actors[process];
    if (actor === undefined) return;
    this.#publications.set(number, actor);
    for (const invalidation of this.invalidations) {
      const { actor: caller, key, tag, isWide, published, missing, settled, heard } = invalidation;
      if (caller === actor && isWide && settled === Number.POSITIVE_INFINITY) {
        const text = texts.find(isOfClass);
        if (text !== undefined) {
          // An earlier call may have announced the class before. The last news is the call's own.
          invalidation.published = { number, text };
          heard.clear();
        }
        continue;
      }
      if (caller !== actor || isWide || published !== undefined || missing.size > 0) continue;
      const name = JSON.stringify(key === undefined ? tag : `key${key}`);
      const text = texts.find((one) => one.includes(name));
      if (text !== undefined) invalidation.published = { number, text };
    }
  }

  /**
   * Records that the bus brings news to a process. If the process has heard the sender before, it
   * notices by the number which news it has missed. A new subscription counts as news of all.
   */
  #brings({ process, operation, number, keys: [text] }: Message): void {
    const actor = this.actors[process];
    if (actor === undefined) return;
    const event = this.origins.next();
    const sender = this.#publications.get(number);
    if (operation === "subscribe") actor.heard.clear();
    for (const { actor: caller, published, heard } of this.invalidations) {
      if (published === undefined || caller === actor || heard.has(actor)) continue;
      const since = actor.heard.get(caller) ?? number;
      // A heartbeat follows the news of its publication. It shows a gap to a process that knew the sender.
      const isLater = published.number < number || (published.number === number && isHeartbeat(text));
      const isMissed = caller === sender && published.number > since && isLater;
      const isNews = caller === sender && published.text === text;
      if (operation === "subscribe" || isNews || isMissed) heard.set(actor, event);
    }
    if (sender !== undefined && sender !== actor && !actor.heard.has(sender)) actor.heard.set(sender, number);
  }

  #sent({ kind, process, number, place, keys: stored, isAwaited }: Message): void {
    const actor = this.actors[process];
    if (kind !== "request" || place === busName || !isAwaited || actor === undefined) return;
    const concerned = concernedBy(stored);
    const at = this.#cluster.time.now;
    const due = at + (actor.settled.has(place) ? deadline : firstDeadline);
    const activity: Activity = { begun: this.origins.next(), at, due, keys: concerned, isRequest: true };
    this.#requests.set(number, { actor, activity });
    actor.begin(activity);
  }

  #ended(message: Message, how: Ending): void {
    const { kind, number, place, operation } = message;
    this.#trace?.(() => `  ${shownMessage(message)}: ${how}`);
    if (operation === "removeMany" || operation === "bump") {
      for (const key of concernedBy(message.keys) ?? keys) this.kept[key] = undefined;
    }
    // A removal ends the lease of a load that runs, also if another process has sent it.
    if (operation === "removeMany" && kind === "request" && (how === "arrive" || how === "repeat")) {
      for (const key of concernedBy(message.keys) ?? []) this.#overtaken[key] = this.origins.next();
    }
    if (kind === "load" || place === busName) return;
    const request = this.#requests.get(number);
    const isLate = request !== undefined && this.#cluster.time.now >= (request.activity.due ?? 0);
    if (request === undefined || isLate) {
      this.#requests.delete(number);
      request?.actor.end(request.activity);
      // A request that nobody waits for has an effect at a time that no process expects.
      this.overtakes(keys);
      this.hasOvertaken(keys);
      return;
    }
    const { actor, activity } = request;
    const isLost = how === "fail" || how === "giveUp";
    if (kind === "request" && !isLost) return;
    this.#requests.delete(number);
    actor.settled.add(place);
    actor.end(activity);
    const event = this.origins.next();
    if (!isLost) actor.answers(activity);
    if (isLost) {
      for (const key of activity.keys ?? [undefined]) actor.fail(key, event);
      return;
    }
    for (const { actor: caller, key, tag, called, missing } of this.invalidations) {
      if (caller !== actor || called >= activity.begun) continue;
      const isOfKey = mutations.has(operation) && key !== undefined && activity.keys?.includes(key) === true;
      if (isOfKey || (operation === "bump" && tag !== undefined)) missing.delete(place);
    }
  }
}

/** Milliseconds before its end in which a value may already count as expired. */
const keptFor = 1_500;

function shownMessage({ kind, process, place, operation, keys: stored, number, isAwaited }: Message): string {
  const waits = isAwaited ? "" : ", given up";
  return `${kind} ${operation} ${number} of process ${process} to ${place} for ${stored.join(", ")}${waits}`;
}

/** Returns whether the message is the news of a whole class. */
function isOfClass(text: string): boolean {
  return text.includes('"simulated:') && !text.includes('"key');
}

function isHeartbeat(text: string | undefined): boolean {
  return text?.includes('"beat"') === true;
}

/** The deadlines of a call to a storage, and of the calls before its first answer. */
const deadline = 250;
const firstDeadline = 2_000;

/** The operations after which a server has nothing of before their request. */
const mutations: ReadonlySet<string> = new Set(["removeMany", "writeMany", "fill"]);

/** Returns the keys of a request; `undefined` for all keys. */
function concernedBy(stored: readonly string[]): readonly number[] | undefined {
  const found: number[] = [];
  for (const key of stored) {
    const number = keyOf(key);
    if (number !== undefined) found.push(number);
  }
  return found.length === 0 ? undefined : found;
}
