import type { Clock } from "../../clock.js";
import type { Events } from "../../events.js";
import type { Journal, JournalClaim, JournalCount, JournalRecord } from "../../journal/journal.js";
import type { ClassRuntime } from "../../runtime/class-runtime.js";
import { nextBirth } from "../../runtime/operation.js";
import type { UnsavedValue, UnsavedValues } from "../../runtime/unsaved-values.js";
import type { Tick } from "../../tiers/tick.js";
import type { GivenValue } from "../set.js";
import { type ClaimedEnvironment, writeClaimed } from "./claimed-batch.js";
import { Flusher } from "./flusher.js";
import { GroupCommit } from "./group-commit.js";
import { JournalCalls } from "./journal-calls.js";
import type { JournalSettings } from "./journal-options.js";
import { JournaledClass, type JournaledValue, journalNode } from "./journaled-node.js";

/** The parts of a space that its journals need. */
export interface JournalsEnvironment extends ClaimedEnvironment {
  readonly clock: Clock;
  readonly events: Events;
  readonly tick: Tick;
  /** Returns a number from 0 to 1, as `Math.random` does. */
  readonly random: () => number;
  /** The beginning of every key of the space. */
  readonly beforeEntry: () => string;
}

interface Lookup {
  readonly runtime: ClassRuntime;
  readonly journalKey: string;
  readonly done: (found: UnsavedValue | undefined, trouble: Error | undefined) => void;
}

/** Writes behind into one journal: it acknowledges saves, writes them into their sources, and reads them. */
export class BehindWriter implements UnsavedValues {
  readonly calls: JournalCalls;
  readonly settings: JournalSettings;
  readonly flusher: Flusher;
  readonly #environment: JournalsEnvironment;
  readonly #appends: GroupCommit;
  readonly #classes = new Map<ClassRuntime, JournaledClass>();
  /** The newest runtime of each class that the journal's records name. */
  readonly #byNode = new Map<string, ClassRuntime>();
  /** Makes the runtimes of listed classes that have not been used yet. */
  readonly #discover: () => void;
  #lookups: Lookup[] = [];

  constructor(
    name: string,
    journal: Journal,
    settings: JournalSettings,
    environment: JournalsEnvironment,
    discover: () => void,
  ) {
    this.settings = settings;
    this.#environment = environment;
    this.#discover = discover;
    const { clock, events, tick, random } = environment;
    this.calls = new JournalCalls(name, journal, clock, events, settings.deadline);
    const { calls } = this;
    this.#appends = new GroupCommit({
      tick,
      calls,
      settings,
      appended: () => this.flusher.schedule(settings.delay),
    });
    this.flusher = new Flusher({
      clock,
      events,
      calls,
      settings,
      appends: this.#appends,
      random,
      nodes: () => this.#nodes(),
      write: (claims) => writeClaimed(claims, (claim) => this.#decode(claim), environment),
    });
  }

  get journal(): string {
    return this.calls.name;
  }

  /** Takes a class in that writes behind into the journal. */
  add(runtime: ClassRuntime): void {
    const before = `${this.#environment.beforeEntry()}${runtime.name}:`;
    this.#classes.set(runtime, new JournaledClass(runtime, before));
    this.#byNode.set(journalNode(runtime), runtime);
    this.flusher.schedule(this.settings.delay);
  }

  /**
   * Saves a value. When it resolves, the journal has it, and each later read of this process gets
   * it.
   */
  async save(given: GivenValue): Promise<void> {
    await this.prepare(given)();
  }

  /**
   * Checks the value, and returns what saves it later.
   *
   * @throws SerializationError if the serializer cannot carry the value
   * @throws ConfigurationError `CACHEME_INVALID_NODE` if the node cannot be made again
   */
  prepare(given: GivenValue): () => Promise<void> {
    const { runtime, key } = given;
    const record = this.#classOf(runtime).encode(given, this.#environment.clock.now());
    return () => this.#append(runtime, key, record);
  }

  async #append(runtime: ClassRuntime, key: string, record: JournalRecord): Promise<void> {
    await this.#appends.append(record);
    const { kind } = runtime;
    const { dependents } = this.#environment;
    // Operations that have read an older value must not keep it, and their later readers read again.
    const birth = nextBirth();
    kind.activities.find(key)?.saved(birth);
    kind.latest.removeLocally(key);
    dependents.overtake(kind, key, birth);
    if (dependents.areKnown)
      await new Promise<unknown>((resolve) => dependents.remove(kind.latest, key, resolve));
    if (kind.isBusBound) await new Promise<void>((resolve) => kind.announce(key, resolve));
  }

  find(
    runtime: ClassRuntime,
    key: string,
    done: (found: UnsavedValue | undefined, trouble: Error | undefined) => void,
  ): void {
    const journalKey = this.#classOf(runtime).keyOf(key);
    if (this.#lookups.push({ runtime, journalKey, done }) === 1)
      this.#environment.tick.add(() => void this.#lookUp());
  }

  /** Looks the gathered keys up in one call. */
  async #lookUp(): Promise<void> {
    const lookups = this.#lookups;
    this.#lookups = [];
    const keys = [...new Set(lookups.map(({ journalKey }) => journalKey))];
    const found = new Map<string, Uint8Array>();
    let trouble: Error | undefined;
    try {
      const answers = await this.calls.make("read", (journal) => journal.read(keys));
      for (const [place, key] of keys.entries()) {
        const bytes = answers[place];
        if (bytes !== undefined) found.set(key, bytes);
      }
    } catch (error) {
      trouble = error as Error; // `make` throws no other.
    }
    for (const { runtime, journalKey, done } of lookups) {
      const bytes = found.get(journalKey);
      done(bytes && this.#classOf(runtime).valueIn(journalKey, bytes), trouble);
    }
  }

  /** Returns the value of a record, if a class of this process can read it. */
  valueIn(node: string, journalKey: string, bytes: Uint8Array): unknown {
    const runtime = this.#byNode.get(node);
    return runtime && this.#classOf(runtime).valueIn(journalKey, bytes)?.value;
  }

  /** Reads the numbers of records. */
  async counts(): Promise<readonly JournalCount[]> {
    return await this.flusher.refreshCounts();
  }

  /** Writes what is left, as long as the time lasts, and closes the journal. */
  async close(): Promise<void> {
    const { clock } = this.#environment;
    const end = clock.elapsed() + this.settings.drainTimeout;
    await this.flusher.drain(this.settings.drainTimeout).catch(nothing); // It was reported.
    this.#appends.close();
    await this.flusher.close(Math.max(0, end - clock.elapsed()));
    await this.flusher.refreshCounts().catch(nothing);
    await this.calls.make("close", (journal) => journal.close()).catch(nothing);
  }

  #nodes(): readonly string[] {
    this.#discover();
    return [...this.#byNode.keys()];
  }

  #classOf(runtime: ClassRuntime): JournaledClass {
    const known = this.#classes.get(runtime);
    if (known !== undefined) return known;
    this.add(runtime);
    return this.#classOf(runtime);
  }

  /** @throws an error that says why the record cannot be read */
  #decode(claim: JournalClaim): JournaledValue {
    const runtime = this.#byNode.get(claim.node);
    if (runtime === undefined) throw new Error(`No class ${claim.node} was used in this process.`);
    return this.#classOf(runtime).decode(claim);
  }
}

function nothing(): void {}
