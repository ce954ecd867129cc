import { milliseconds } from "../duration.js";
import { Failure } from "../entry/failure.js";
import { LoadCycleError, LoadError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { LoadContext, Node } from "../node/node.js";
import { isThenable } from "../node/thenable.js";
import type { LoadOverride } from "../runtime/asking.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import { ConditionalLoad } from "../runtime/conditional-load.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import { nextBirth, Operation } from "../runtime/operation.js";
import { sharedState } from "../shared-state.js";
import type { LocalEntry } from "../storage/local-storage.js";
import { OperationTags } from "../tags/operation-tags.js";
import type { Retainable } from "../write/retaining.js";
import { runSynchronously } from "./load-frame.js";
import { localErrorHit } from "./local-errors.js";
import { keptLocally } from "./local-tiers.js";
import { previousOf, renewedValue } from "./previous-entry.js";
import type { ReadParts } from "./read-parts.js";
import { currentRecording, Recording } from "./recording.js";
import { tellTags } from "./told-tags.js";

/** Loads a value that no local tier has at once, for `getSync`. */
export class SyncRead {
  readonly #parts: ReadParts;
  /**
   * The nodes being loaded, outermost first, because a synchronous load that reads itself would
   * never end.
   */
  readonly #loading: { readonly runtime: ClassRuntime; readonly key: string }[] = [];

  constructor(parts: ReadParts) {
    this.#parts = parts;
  }

  /**
   * A failing load is answered with a stale value, if the class returns such ones.
   *
   * @throws LoadError `CACHEME_NOT_SYNCHRONOUS` if a tier is remote, or the load returned a promise
   * @throws SerializationError for a value that can only be read once, such as a stream
   */
  load(runtime: ClassRuntime, node: Node, key: string, override: LoadOverride | undefined): unknown {
    const details = { node: runtime.name, key };
    const [remote] = runtime.remoteTiers;
    if (remote !== undefined) {
      throw new LoadError(
        "CACHEME_NOT_SYNCHRONOUS",
        `${nodeLabel(runtime.name, key)} cannot be read synchronously: its storage "${remote.name}" is remote. ` +
          "Use get, or keep the class in memory storages only.",
        details,
      );
    }
    if (runtime.unsaved !== undefined) {
      throw new LoadError(
        "CACHEME_NOT_SYNCHRONOUS",
        `${nodeLabel(runtime.name, key)} cannot be read synchronously: its class writes behind, and the journal may have a newer ` +
          "value than the source. Use get.",
        details,
      );
    }
    const load = override ?? node.load?.bind(node);
    if (load === undefined) {
      throw new LoadError(
        "CACHEME_NO_LOAD",
        `${nodeLabel(runtime.name, key)} is in no local tier, and its class has no load of its own. ` +
          "Give the class one that returns no promise, or read it with getSync(node, { load }).",
        details,
      );
    }
    this.#refuseCycle(runtime, key);
    const cached = runtime.meta.errors === undefined ? undefined : localErrorHit(this.#parts, runtime, key);
    if (cached !== undefined) throw cached;
    const outer = sharedState.recordings > 0 ? currentRecording() : undefined;
    outer?.add(runtime, key, undefined);
    const tags = runtime.nodeTags?.of(node, key);
    const operation = new Operation(nextBirth());
    if (tags !== undefined) operation.tagged = new OperationTags(tags);
    const activity = runtime.kind.activities.of(key);
    activity.operations.begin(operation);
    this.#loading.push({ runtime, key });
    const said: Retainable = { node, key, ttl: undefined, skip: false };
    if (this.#parts.events.listeners.miss !== null) {
      this.#parts.events.emit("miss", { node: runtime.name, key, readers: 1 });
    }
    const began = this.#parts.clock.elapsed();
    let outcome: { readonly error?: unknown } = {};
    try {
      const context = this.#context(said, runtime, key, operation);
      const recording = runtime.meta.track ? new Recording(runtime.tags) : undefined;
      const answer = runSynchronously(this.#parts.space, recording, () =>
        runtime.scope === undefined ? load(context) : runtime.scope.scopes.runAsKey(key, () => load(context)),
      );
      if (isThenable(answer)) {
        Promise.resolve(answer).catch(() => {}); // The error below reports the fault, so the promise's own failure no longer matters.
        throw new LoadError(
          "CACHEME_NOT_SYNCHRONOUS",
          `The load of ${nodeLabel(runtime.name, key)} returned a promise, which getSync cannot wait for. Use get.`,
          details,
        );
      }
      runtime.staleness?.backOffs.succeeded(key);
      const value = ConditionalLoad.is(answer)
        ? renewedValue(runtime, key, operation, answer, runtime.tags)
        : answer;
      this.#parts.values.loaded(runtime, key, value);
      recording?.tellTo(operation, runtime, key);
      if (operation.tagged !== undefined) outer?.addTags(operation.tagged.all);
      if (operation.tagged?.refusal !== undefined)
        this.#parts.store.notStored.report(runtime.kind, key, operation.tagged.refusal);
      else if (
        this.#parts.store.retaining.decide(runtime.kind, said, value) &&
        (runtime.doorkeeper === undefined || runtime.doorkeeper.admits(key))
      ) {
        this.#parts.store.storeLocally(runtime.kind, activity, operation, value, said.ttl);
      }
      const { prefetches } = this.#parts;
      if (prefetches.concern(node)) prefetches.missed({ runtime, node, key }, value);
      return value;
    } catch (error) {
      outcome = { error };
      const stale = error instanceof LoadError ? undefined : this.#staleValue(runtime, key, error);
      if (stale === undefined) throw this.#kept(runtime, activity, operation, said, error);
      return stale.value;
    } finally {
      this.#record(runtime, key, this.#parts.clock.elapsed() - began, outcome);
      this.#loading.pop();
      activity.operations.end(operation);
      activity.rest();
    }
  }

  /** Keeps the error if the class does so, and returns the error for the reader. */
  #kept(
    { kind, doorkeeper }: ClassRuntime,
    activity: KeyActivity,
    operation: Operation,
    said: Retainable,
    error: unknown,
  ): unknown {
    const ttl = this.#parts.store.retaining.ttlOfError(kind, said, error);
    if (ttl === undefined) return error;
    const failure = Failure.of(error);
    if (!said.skip && (doorkeeper === undefined || doorkeeper.admits(said.key)))
      this.#parts.store.storeLocally(kind, activity, operation, failure, ttl);
    return failure.toError(this.#parts.clock.now(), error);
  }

  /** Returns the entry that is returned instead of the load's error. */
  #staleValue(runtime: ClassRuntime, key: string, error: unknown): LocalEntry | undefined {
    const entry = keptLocally(runtime, key, this.#parts.clock.now());
    if (entry === undefined) return undefined;
    runtime.stats.stale += 1;
    this.#parts.revalidations.failed(runtime, key, error);
    this.#parts.revalidations.hush(runtime, key);
    return entry;
  }

  #record(runtime: ClassRuntime, key: string, duration: number, outcome: { readonly error?: unknown }): void {
    const failed = "error" in outcome;
    runtime.stats.misses += 1;
    runtime.stats.recordLoad(duration, failed ? 0 : 1, failed ? 1 : 0);
    if (!failed) runtime.ahead?.measured(duration);
    const loaded = { node: runtime.name, keys: [key], duration };
    if (failed && this.#parts.events.listeners.loadError !== null) {
      this.#parts.events.emit("loadError", { ...loaded, error: outcome.error });
    } else if (!failed && this.#parts.events.listeners.load !== null) {
      this.#parts.events.emit("load", loaded);
    }
  }

  #context(said: Retainable, runtime: ClassRuntime, key: string, operation: Operation): LoadContext {
    const label = nodeLabel(runtime.name, key);
    const { get, getAll, peek, inject } = this.#parts.space;
    const conditional = () => {
      operation.conditional ??= new ConditionalLoad(
        runtime.name,
        key,
        previousOf(runtime, key, undefined, this.#parts.clock.now()),
      );
      return operation.conditional;
    };
    return {
      get,
      getAll,
      peek,
      inject,
      // A signal that never aborts, because no reader can leave during a synchronous load.
      get signal() {
        return new AbortController().signal;
      },
      get previous() {
        return conditional().previous;
      },
      keep: (data) => conditional().keep(data),
      notModified: () => conditional().notModified() as never,
      ttl: (duration) => {
        said.ttl = milliseconds(duration, `ttl given in the load of ${label}`);
      },
      skip: () => {
        said.skip = true;
      },
      tag: (...told) => tellTags(runtime, key, operation, told, this.#parts.store.tags),
    };
  }

  #refuseCycle(runtime: ClassRuntime, key: string): void {
    const { activities } = runtime.kind;
    const from = this.#loading.findIndex(
      (outer) => outer.runtime.kind.activities === activities && outer.key === key,
    );
    if (from === -1) return;
    const way = [...this.#loading.slice(from), { runtime, key }];
    const labels = way.map((step) => nodeLabel(step.runtime.name, step.key));
    throw new LoadCycleError(labels, { node: runtime.name, key });
  }
}
