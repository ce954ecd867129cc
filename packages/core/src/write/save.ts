import { ConfigurationError, SaveError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { SetOptions } from "../node/options.js";
import { changesKeys } from "../request/own-changes.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Tick } from "../tiers/tick.js";
import { pendingCommit } from "./after-commit.js";
import type { FailedTier } from "./failed-tier.js";
import { incompleteSave } from "./incomplete.js";
import { type Removal, removeWithDependents } from "./invalidate.js";
import { refuseOneShot } from "./one-shot.js";
import { SaveFrame } from "./save-frame.js";
import { SaveLine } from "./save-line.js";
import { type GivenValue, refuseUncopied, tagsFor, ttlOf } from "./set.js";
import type { Source, SourceEntry } from "./source.js";
import type { SourceFailure } from "./source-outcomes.js";
import { type ThroughEnvironment, ThroughWrite } from "./through-write.js";
import type { Journals } from "./write-behind/journals.js";

/** The parts of a space that its saves need. */
export interface SaverEnvironment extends ThroughEnvironment {
  readonly tick: Tick;
  readonly source: Source;
  readonly journals: Journals;
  /** The space itself, which tells its transactions apart. */
  readonly space: object;
}

/** A value that waits for the other saves of its class and tick. */
interface Gathered extends SourceEntry {
  done(failure: SourceFailure | undefined): void;
}

/** Saves values: into their source, and into the tiers or past them. */
export class Saver {
  readonly #environment: SaverEnvironment;
  readonly #line = new SaveLine();
  readonly #gathered = new Map<ClassRuntime, Gathered[]>();

  constructor(environment: SaverEnvironment) {
    this.#environment = environment;
  }

  /**
   * Saves a value.
   *
   * @throws SaveError `CACHEME_NO_SAVE` if the class cannot write, `CACHEME_SAVE_CYCLE`,
   *   `CACHEME_SAVE_TIMEOUT`; any error
   *   of the source
   * @throws SerializationError if a tier cannot carry the value. Then nothing has changed
   * @throws IncompleteError `CACHEME_WRITE_INCOMPLETE` if the source has the value, and a tier that
   *   could not be reached may have an older one
   */
  save(given: GivenValue, options: SetOptions): Promise<void> {
    const dropAgain = changesKeys([given], this.#environment.dependents.knownIn);
    const saved = this.#save(given, options);
    return dropAgain === undefined ? saved : saved.finally(dropAgain);
  }

  async #save(given: GivenValue, options: SetOptions): Promise<void> {
    const { runtime, node, key } = given;
    if (typeof node.save !== "function" && runtime.saveAll === undefined) throw noSave(runtime, key);
    const { activities } = runtime.kind;
    if (runtime.meta.journal !== undefined) return await this.#behind(given, options, runtime.meta.journal);
    const frame = new SaveFrame(nodeLabel(runtime.name, key));
    const commit = pendingCommit(this.#environment.space);
    if (commit !== undefined) {
      // A transaction's own value is no value for other readers before its commit.
      await this.#line.run(activities, key, frame, () => this.#writeSource(given, frame));
      await commit.remove([{ runtime, key }]);
    } else if (runtime.meta.write === "around" || !this.#isKept(given))
      await this.#line.run(activities, key, frame, () => this.#around(given, frame));
    else {
      const write = this.#check(given, options);
      await this.#line.run(activities, key, frame, () => this.#through(given, frame, write()));
    }
  }

  async #behind(given: GivenValue, options: SetOptions, journal: string): Promise<void> {
    const { runtime, key, value } = given;
    refuseBehindOptions(options, runtime, key);
    refuseOneShot(value, runtime.name, key);
    const writer = this.#environment.journals.get(journal, `Node "${runtime.name}"`);
    const commit = pendingCommit(this.#environment.space);
    if (commit === undefined) await writer.save(given);
    // A refused value must fail the transaction, which could not be rolled back later.
    else commit.after(writer.prepare(given));
  }

  /** Settles when no save is under way. */
  idle(): Promise<void> {
    return this.#line.idle();
  }

  /** Returns whether the tiers take the value, by the class's options. */
  #isKept({ runtime: { meta, name }, node, key, value }: GivenValue): boolean {
    return meta.retention?.admits(value, node, name, key) ?? true;
  }

  /** Checks the value at the call, and returns what begins the save later. */
  #check(given: GivenValue, options: SetOptions): () => ThroughWrite {
    const { runtime, node, key, value } = given;
    const { kind, name } = runtime;
    const ttl = ttlOf(options, name, key, "save") ?? kind.meta.retention?.ttlOf(value, node, name, key);
    refuseOneShot(value, name, key);
    refuseUncopied(value, kind, key);
    const tags = tagsFor(runtime, node, key, options, this.#environment.store, "save");
    return () => new ThroughWrite(this.#environment, { kind, key, value, ttl, tags, storesLocally: true });
  }

  async #through(given: GivenValue, frame: SaveFrame, write: ThroughWrite): Promise<void> {
    await write.begin();
    const failure = await this.#gather(given, frame);
    if (failure === undefined) {
      this.#throwIncomplete(given, await write.saved());
      return;
    }
    if (failure.late === undefined) write.refused();
    else {
      await write.unknown();
      this.#removeLate(given, failure.late);
    }
    throw failure.error;
  }

  async #around(given: GivenValue, frame: SaveFrame): Promise<void> {
    await this.#writeSource(given, frame);
    this.#throwIncomplete(given, await this.#remove(given));
  }

  /** @throws the error of the source */
  async #writeSource(given: GivenValue, frame: SaveFrame): Promise<void> {
    const failure = await this.#gather(given, frame);
    if (failure === undefined) return;
    if (failure.late !== undefined) {
      await this.#remove(given);
      this.#removeLate(given, failure.late);
    }
    throw failure.error;
  }

  /** Removes the key again when a call that took too long has ended. */
  #removeLate(given: GivenValue, late: Promise<void>): void {
    void late.then(() => this.#remove(given));
  }

  /** Removes the key from every tier, without telling listeners. */
  forget(removal: Removal): Promise<unknown> {
    const dropAgain = changesKeys([removal], this.#environment.dependents.knownIn);
    const removed = this.#remove(removal);
    return dropAgain === undefined ? removed : removed.finally(dropAgain);
  }

  #remove({ runtime, key }: Removal): Promise<readonly FailedTier[]> {
    const { clock, dependents } = this.#environment;
    const kind = runtime.kind.latest;
    return new Promise((resolve) => removeWithDependents({ kind, key, clock, dependents }, resolve));
  }

  #throwIncomplete({ runtime: { name }, key }: Removal, failed: readonly FailedTier[]): void {
    const error = incompleteSave({ name, key, failed });
    if (error !== undefined) throw error;
  }

  /** Writes the value into its source. A `saveAll` gets all values of its class and tick. */
  async #gather(given: GivenValue, frame: SaveFrame): Promise<SourceFailure | undefined> {
    const { runtime, node, key, value } = given;
    if (runtime.saveAll === undefined)
      return (await this.#environment.source.write(runtime, [{ node, key, value, frame }]))[0];
    return await new Promise((done) => {
      const gathered = this.#gathered.get(runtime);
      if (gathered !== undefined) {
        gathered.push({ node, key, value, frame, done });
        return;
      }
      this.#gathered.set(runtime, [{ node, key, value, frame, done }]);
      this.#environment.tick.add(() => this.#send(runtime));
    });
  }

  #send(runtime: ClassRuntime): void {
    const entries = this.#gathered.get(runtime) ?? [];
    this.#gathered.delete(runtime);
    void this.#environment.source.write(runtime, entries).then((outcomes) => {
      for (const [place, { done }] of entries.entries()) done(outcomes[place]);
    });
  }
}

function refuseBehindOptions({ ttl, tags }: SetOptions, { name }: ClassRuntime, key: string): void {
  if (ttl === undefined && tags === undefined) return;
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `save(${nodeLabel(name, key)}, …) got the option ${ttl === undefined ? "tags" : "ttl"}, which a class that writes behind does not ` +
      "take: the value is stored later. Use the class's own options and its tags().",
    { node: name, key },
  );
}

function noSave({ name }: ClassRuntime, key: string): SaveError {
  return new SaveError(
    "CACHEME_NO_SAVE",
    `${nodeLabel(name, key)} cannot be saved, because its class has neither save nor saveAll. Give the class one; ` +
      "set(node, value) stores a value in the caches only.",
    { node: name, key },
  );
}
