import { Node, type NodeMeta, type Serializer } from "cacheme";
import { type Message, SimulatedCluster, type SimulatedProcess } from "../../../src/cluster.js";
import { keys, type SaveStep } from "./save-schedule.js";
import { type JournalFault, SharedJournal } from "./shared-journal.js";

/** Longer than a schedule, so that only the end of a schedule takes over what a crash has left. */
const lease = 600_000;

const marked = /#(\d+)#/;

/** Writes a number so that a record of the journal shows it. */
const serializer: Serializer = {
  codec: 64,
  encode: (value) => Buffer.from(`#${String(value)}#`),
  decode: (bytes) => Number(marked.exec(Buffer.from(bytes).toString("latin1"))?.[1]),
};

/** Loads from and saves into the source of the simulation. */
abstract class Source {
  abstract load(key: number): Promise<number>;
  abstract save(key: number, value: number): Promise<void>;
}

class Counter extends Node<number> {
  static override meta: NodeMeta = {
    name: "counter",
    caches: [{ storage: "remote", ttl: "1h" }],
    serializer,
    write: "behind",
    journal: "writes",
    loadTimeout: false,
    saveTimeout: false,
  };
  constructor(readonly id: number) {
    super();
  }
  key() {
    return `${this.id}`;
  }
  override load({ inject }: { inject(token: typeof Source): Source }) {
    return inject(Source).load(this.id);
  }
  override save(value: number, { inject }: { inject(token: typeof Source): Source }) {
    return inject(Source).save(this.id, value);
  }
}

/** A promise of writing behind that a schedule has broken. */
export interface SaveViolation {
  readonly promise: "order" | "one writer" | "nothing lost" | "read at once" | "answered";
  readonly what: string;
}

/** One key, as the journal and the source have seen it. */
class KeyHistory {
  /** The value's place in the journal's order. The first value is in the source from the beginning. */
  readonly arrived = new Map<number, number>([[0, 0]]);
  /** The latest place of an acknowledged value. */
  acknowledged = 0;
  /** The place of the value in the source. */
  inSource = 0;
  value = 0;
  /** The processes that write the key into the source now. */
  readonly writers = new Set<SimulatedProcess>();

  arrives(value: number): void {
    this.arrived.set(value, this.arrived.size);
  }
}

/** The reads of a key that are under way in a process. */
interface Reading {
  running: number;
  /** The latest acknowledged place when the first of the running reads began. */
  since: number;
  /** The process's troubles at that time. */
  troubles: number;
}

/** Runs a schedule of saves and reads against a cluster, and holds it against the promises. */
export class SaveSimulation {
  readonly violations: SaveViolation[] = [];
  answered = 0;
  readonly #cluster: SimulatedCluster;
  readonly #journal: SharedJournal;
  readonly #keys = keys.map(() => new KeyHistory());
  readonly #readings = new Map<SimulatedProcess, Reading[]>();
  /** The failed calls to the journal of each process, which let reads go on without it. */
  readonly #troubles = new Map<SimulatedProcess, number>();
  #values = 0;
  #unsettled = 0;

  private constructor(cluster: SimulatedCluster, fault: JournalFault | undefined) {
    this.#cluster = cluster;
    this.#journal = new SharedJournal(cluster.time, fault);
    this.#journal.onAppend = (records) => {
      for (const { key, bytes } of records) {
        const value = Number(marked.exec(Buffer.from(bytes).toString("latin1"))?.[1]);
        this.#of(Number(key.split(":").at(-1))).arrives(value);
      }
    };
  }

  static async run(steps: readonly SaveStep[], fault?: JournalFault): Promise<SaveSimulation> {
    const cluster = await SimulatedCluster.start({ processes: 2, remotes: ["remote"] });
    const simulation = new SaveSimulation(cluster, fault);
    for (const process of cluster.processes) await simulation.#starts(process);
    await cluster.settle();
    for (const step of steps) await simulation.#take(step);
    await simulation.#finish();
    return simulation;
  }

  #of(key: number): KeyHistory {
    return this.#keys[key] as KeyHistory; // Schedules only have keys of the list.
  }

  async #starts(process: SimulatedProcess): Promise<void> {
    this.#readings.set(
      process,
      keys.map(() => ({ running: 0, since: 0, troubles: 0 })),
    );
    const { cacheme } = process;
    cacheme.on("journalError", () => this.#troubles.set(process, (this.#troubles.get(process) ?? 0) + 1));
    cacheme.provide(Source, {
      load: async (key) => {
        const { value } = this.#of(key);
        await process.hold("load", [`${key}`]);
        return value;
      },
      save: (key, value) => this.#save(process, key, value),
    });
    await cacheme.registerJournal("writes", this.#journal.of(process), {
      nodes: [Counter],
      delay: 50,
      pollInterval: 100,
      retryDelay: 50,
      maxRetryDelay: 100,
      maxAttempts: 1_000_000,
      deadline: "1h",
      lease,
    });
  }

  /** Writes into the source when the schedule says so. */
  async #save(process: SimulatedProcess, key: number, value: number): Promise<void> {
    const history = this.#of(key);
    const others = [...history.writers].filter(({ isDead }) => !isDead);
    if (others.length > 0) this.#violates("one writer", `key ${key} is written by two processes at once`);
    history.writers.add(process);
    try {
      await process.hold("save", [`${key}`]);
    } finally {
      history.writers.delete(process);
    }
    const place = history.arrived.get(value) ?? 0;
    if (place < history.inSource)
      this.#violates("order", `key ${key} gets value ${place} after value ${history.inSource}`);
    history.inSource = place;
    history.value = value;
  }

  async #take(step: SaveStep): Promise<void> {
    const cluster = this.#cluster;
    switch (step.do) {
      case "save":
        this.#callSave(cluster.process(step.process), step.key);
        break;
      case "get":
      case "refresh":
        this.#callRead(cluster.process(step.process), step.key, step.do);
        break;
      case "getAll":
        this.#callList(cluster.process(step.process));
        break;
      case "invalidate":
        this.#settles(cluster.process(step.process).cacheme.invalidate(new Counter(step.key)));
        break;
      case "crash":
        await cluster.restart(step.process);
        await this.#starts(cluster.process(step.process));
        break;
      case "advance":
        await cluster.advance(step.ms);
        break;
      case "serve":
        await this.#serve(({ process }) => process === step.process);
        break;
      case "message":
        await this.#end(step.which, step.how);
        break;
      default:
    }
    await cluster.turn();
  }

  /** Ends a message. Requests of storages always arrive: their failures are another simulation's. */
  async #end(which: number, how: "arrive" | "fail"): Promise<void> {
    const { messages } = this.#cluster;
    const message = messages[which % Math.max(1, messages.length)];
    if (message === undefined) return;
    await this.#cluster.end(messages.indexOf(message), message.kind === "load" ? how : "arrive");
  }

  async #serve(accepts: (message: Message) => boolean): Promise<void> {
    for (let round = 0; round < 50; round++) {
      await this.#cluster.turn();
      if (this.#cluster.network.endWhere("arrive", accepts) === 0) return;
    }
  }

  #callSave(process: SimulatedProcess, key: number): void {
    this.#values += 1;
    const value = this.#values;
    const saved = process.cacheme.save(new Counter(key), value).then(() => {
      const history = this.#of(key);
      if (!process.isDead)
        history.acknowledged = Math.max(history.acknowledged, history.arrived.get(value) ?? 0);
    });
    this.#settles(saved);
  }

  #callRead(process: SimulatedProcess, key: number, way: "get" | "refresh"): void {
    const check = this.#readingOf(process, key, way);
    const { cacheme } = process;
    const node = new Counter(key);
    this.#settles(
      (way === "get" ? cacheme.get(node) : cacheme.refresh(node)).then(check.answered).finally(check.ended),
    );
  }

  #callList(process: SimulatedProcess): void {
    const checks = keys.map((key) => this.#readingOf(process, key, "getAll"));
    const list = process.cacheme.getAllSettled(keys.map((key) => new Counter(key)));
    const checked = list.then((outcomes) => {
      for (const [place, outcome] of outcomes.entries())
        if (outcome.status === "fulfilled") checks[place]?.answered(outcome.value);
    });
    this.#settles(
      checked.finally(() => {
        for (const { ended } of checks) ended();
      }),
    );
  }

  /** Begins a read of a key. Returns the check of its answer, and what is called at its end. */
  #readingOf(
    process: SimulatedProcess,
    key: number,
    way: string,
  ): { readonly answered: (value: number) => void; readonly ended: () => void } {
    const history = this.#of(key);
    const reading = this.#readings.get(process)?.[key] as Reading; // Every process has one for each key.
    const troublesNow = () => this.#troubles.get(process) ?? 0;
    // A read may join one that is under way, and is then answered as of the other's beginning.
    if (reading.running === 0) {
      reading.since = history.acknowledged;
      reading.troubles = troublesNow();
    }
    reading.running += 1;
    const { since, troubles } = reading;
    return {
      answered: (value) => {
        if (process.isDead || troublesNow() !== troubles) return;
        this.answered += 1;
        const place = history.arrived.get(value) ?? -1;
        if (place < since)
          this.#violates(
            "read at once",
            `key ${key}: a ${way} gets value ${place}, but ${since} was saved before`,
          );
      },
      ended: () => {
        reading.running -= 1;
      },
    };
  }

  #settles(call: Promise<unknown>): void {
    this.#unsettled += 1;
    const settled = () => {
      this.#unsettled -= 1;
    };
    call.then(settled, settled);
  }

  #violates(promise: SaveViolation["promise"], what: string): void {
    this.violations.push({ promise, what });
  }

  /** Lets everything end. Then the source must have the newest acknowledged values. */
  async #finish(): Promise<void> {
    const cluster = this.#cluster;
    for (let round = 0; round < 60; round++) {
      await this.#serve(() => true);
      if (round === 30) await cluster.advance(lease);
      else await cluster.advance(100);
    }
    await this.#serve(() => true);
    for (const [key, { inSource, acknowledged }] of this.#keys.entries()) {
      if (inSource < acknowledged)
        this.#violates(
          "nothing lost",
          `key ${key} has value ${inSource}, but ${acknowledged} was acknowledged`,
        );
    }
    for (const process of cluster.processes) for (const key of keys) this.#callRead(process, key, "get");
    await this.#serve(() => true);
  }
}
