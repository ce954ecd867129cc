import type { Clock } from "../clock.js";
import { SaveError } from "../errors.js";
import type { Events } from "../events.js";
import { nodeLabel } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { SaveContext } from "../node/saves.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import { LateCalls } from "./late-calls.js";
import { inSaves, type SaveFrame } from "./save-frame.js";
import { outcomesOf, type SourceFailure, type SourceOutcomes } from "./source-outcomes.js";

/** A value to write into its source. */
export interface SourceEntry {
  readonly node: Node;
  readonly key: string;
  readonly value: unknown;
  /** The save, to notice that its source saves the same key; `undefined` if nobody waits for it. */
  readonly frame?: SaveFrame | undefined;
}

/** Calls the nodes' `save` and the classes' `saveAll`, with a deadline. */
export class Source {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #inject: SaveContext["inject"];
  readonly #lateCalls: LateCalls;

  constructor(clock: Clock, events: Events, inject: SaveContext["inject"]) {
    this.#clock = clock;
    this.#events = events;
    this.#inject = inject;
    this.#lateCalls = new LateCalls(clock);
  }

  /**
   * Writes values of one class. A value waits for an earlier call of its key that took too long, and
   * is then written alone. Never rejects.
   */
  write(runtime: ClassRuntime, entries: readonly SourceEntry[]): Promise<SourceOutcomes> {
    const late = entries.map(({ key }) => this.#lateCalls.of(runtime.kind.activities, key));
    return late.every((call) => call === undefined)
      ? this.#writeNow(runtime, entries)
      : this.#writeAfter(runtime, entries, late);
  }

  async #writeAfter(
    runtime: ClassRuntime,
    entries: readonly SourceEntry[],
    late: readonly (Promise<void> | undefined)[],
  ): Promise<SourceOutcomes> {
    const others = this.#writeNow(
      runtime,
      entries.filter((_, place) => late[place] === undefined),
    );
    const delayed = await Promise.all(
      entries.map(async (entry, place) => {
        if (late[place] === undefined) return [];
        await late[place];
        return await this.#writeNow(runtime, [entry]);
      }),
    );
    const outcomes = (await others).values();
    return delayed.map((own, place) => (late[place] === undefined ? outcomes.next().value : own[0]));
  }

  async #writeNow(runtime: ClassRuntime, entries: readonly SourceEntry[]): Promise<SourceOutcomes> {
    const { saveAll } = runtime;
    const isList = entries.length > 1 || entries.some(({ node }) => typeof node.save !== "function");
    if (saveAll === undefined || !isList) {
      const outcomes = await Promise.all(
        entries.map((entry) =>
          this.#call(runtime, [entry], (context) => entry.node.save?.(entry.value, context)),
        ),
      );
      return outcomes.flat();
    }
    const size = Math.min(entries.length, runtime.meta.maxBatchSize);
    const outcomes: (SourceFailure | undefined)[] = [];
    for (let from = 0; from < entries.length; from += size) {
      const part = entries.slice(from, from + size);
      const list = part.map(({ node, value }) => ({ node, value }));
      outcomes.push(...(await this.#call(runtime, part, (context) => saveAll(list, context))));
    }
    return outcomes;
  }

  async #call(
    runtime: ClassRuntime,
    entries: readonly SourceEntry[],
    call: (context: SaveContext) => unknown,
  ): Promise<SourceOutcomes> {
    const { name, meta, scope } = runtime;
    const keys = entries.map(({ key }) => key);
    const controller = new AbortController();
    const context = { signal: controller.signal, inject: this.#inject };
    const began = this.#clock.elapsed();
    const running = inSaves(
      entries.flatMap(({ frame }) => frame ?? []),
      () => (scope === undefined ? call(context) : scope.scopes.runAsKey(keys[0] ?? "", () => call(context))),
    );
    let outcomes: SourceOutcomes;
    try {
      const answer = await this.#within(running, meta.saveTimeout);
      outcomes =
        answer === tookTooLong
          ? this.#late(runtime, keys, running, controller)
          : outcomesOf(name, keys, answer);
    } catch (error) {
      outcomes = keys.map(() => ({ error, late: undefined }));
    }
    this.#report(name, keys, outcomes, this.#clock.elapsed() - began);
    return outcomes;
  }

  /** Returns the answer, or {@link tookTooLong}. */
  #within(running: Promise<unknown>, limit: number | undefined): Promise<unknown> {
    if (limit === undefined) return running;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.schedule(() => resolve(tookTooLong), limit, { keepsAlive: true });
      running.then(resolve, reject).finally(cancel);
    });
  }

  #late(
    { name, meta, kind }: ClassRuntime,
    keys: readonly string[],
    running: Promise<unknown>,
    controller: AbortController,
  ): SourceOutcomes {
    const others = keys.length === 1 ? "" : ` and ${keys.length - 1} others`;
    const error = new SaveError(
      "CACHEME_SAVE_TIMEOUT",
      `The save of ${nodeLabel(name, keys[0] ?? "")}${others} took longer than its saveTimeout of ${meta.saveTimeout} ms, so ` +
        "the source may have the value or not. Make the source faster, or allow more in the node's meta.",
      { node: name, key: keys[0] },
    );
    controller.abort(error);
    const late = running.then(nothing, nothing);
    this.#lateCalls.add(kind.activities, keys, late, meta.saveTimeout ?? 0);
    return keys.map(() => ({ error, late }));
  }

  #report(node: string, keys: readonly string[], outcomes: SourceOutcomes, duration: number): void {
    const { listeners } = this.#events;
    const saved = listeners.save === null ? [] : keys.filter((_, place) => outcomes[place] === undefined);
    if (saved.length > 0) this.#events.emit("save", { node, keys: saved, duration });
    if (listeners.saveError === null) return;
    const [first] = outcomes;
    if (first !== undefined && outcomes.every((outcome) => outcome?.error === first.error)) {
      this.#events.emit("saveError", { node, keys, duration, error: first.error });
      return;
    }
    for (const [place, outcome] of outcomes.entries()) {
      const key = keys[place];
      if (outcome !== undefined && key !== undefined)
        this.#events.emit("saveError", { node, keys: [key], duration, error: outcome.error });
    }
  }
}

const tookTooLong = Symbol("took too long");

function nothing(): void {}
