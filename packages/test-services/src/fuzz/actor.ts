import { setTimeout as pause } from "node:timers/promises";
import { sharedTime } from "./board.js";
import {
  groups,
  idOf,
  ids,
  type Kind,
  kindOf,
  kinds,
  partsOf,
  recordOf,
  records,
  recordsOf,
  type Seen,
} from "./kinds.js";
import type { Floor } from "./ledger.js";
import type { Random } from "./random.js";
import { allowsPlanned, type Operation, operations, type Stage, shown } from "./stage.js";

/** The longest that a call may take in milliseconds, whatever is in trouble. */
const longestCall = 15_000;

/** Milliseconds by which a clock may be wrong: half of a slow round trip, or memcached's seconds. */
const slack = 1_250;

/** Does random operations, one after the other, and holds their answers against the ledger. */
export class Actor<N> {
  readonly #stage: Stage<N>;
  readonly #random: Random;

  constructor(stage: Stage<N>, random: Random) {
    this.#stage = stage;
    this.#random = random;
  }

  async act(isEnding: () => boolean): Promise<void> {
    while (!isEnding()) {
      const operation = this.#random.weighted(operations);
      const begun = sharedTime();
      let isLate = false;
      const watch = setInterval(() => {
        if (isLate || this.#stage.awakeSince(begun) < longestCall) return;
        isLate = true;
        this.#stage.ledger.violate(`${operation} was not answered within ${longestCall} ms`);
      }, 1_000);
      try {
        await this.#does[operation]();
      } catch (error) {
        this.#stage.ledger.violate(`${operation} failed: ${shown(error)}`);
      }
      clearInterval(watch);
      this.#stage.longest = Math.max(this.#stage.longest, this.#stage.awakeSince(begun));
      this.#stage.counts.set(operation, (this.#stage.counts.get(operation) ?? 0) + 1);
      await pause(this.#random.below(12));
    }
  }

  readonly #does: Readonly<Record<Operation, () => Promise<void>>> = {
    get: () => this.#read("get", this.#any(), (node) => this.#stage.space.get(node)),
    getAll: async () => {
      const chosen = Array.from({ length: 1 + this.#random.below(8) }, () => this.#any());
      const begins = chosen.map((record) => this.#begin(record));
      const { space, node } = this.#stage;
      const answers = await space.getAll(chosen.map(node)).catch(allowsPlanned);
      for (const [place, begin] of begins.entries()) this.#end("getAll", begin, answers?.[place]);
    },
    getAllSettled: async () => {
      const chosen = Array.from({ length: 1 + this.#random.below(8) }, () => this.#any());
      const begins = chosen.map((record) => this.#begin(record));
      const { space, node } = this.#stage;
      const answers = await space.getAllSettled(chosen.map(node));
      for (const [place, begin] of begins.entries()) {
        const answer = answers[place];
        if (answer?.status === "fulfilled") this.#end("getAllSettled", begin, answer.value);
        else allowsPlanned(answer?.reason);
      }
    },
    peek: async () => {
      const begin = this.#begin(this.#any());
      const entry = await this.#stage.space.peek(this.#stage.node(begin.record));
      this.#end("peek", begin, entry?.value);
    },
    refresh: () => this.#fresh("refresh", (node) => this.#stage.space.refresh(node)),
    fresh: () => this.#fresh("fresh", (node) => this.#stage.space.get(node, { fresh: true })),
    maxAge: async () => {
      const maxAge = 50 + this.#random.below(1_000);
      const begun = Date.now();
      const begin = this.#begin(this.#lively());
      const { space, node, ledger } = this.#stage;
      const answer = await space.get(node(begin.record), { maxAge }).catch(allowsPlanned);
      this.#end("maxAge", begin, answer);
      const at = (answer as Seen | undefined)?.at ?? begun;
      if (at < begun - maxAge - slack) {
        ledger.violate(
          `a read with maxAge ${maxAge} gave a value that is ${begun - at} ms old`,
          begin.record,
        );
      }
    },
    abort: async () => {
      const signal = AbortSignal.timeout(this.#random.below(30));
      const begin = this.#begin(this.#any());
      const { space, node } = this.#stage;
      const answer = await space.get(node(begin.record), { signal }).catch((error: unknown) => {
        if (signal.aborted && error === signal.reason) return undefined;
        return allowsPlanned(error);
      });
      this.#end("get with a signal", begin, answer);
    },
    set: () =>
      this.#change(
        async (record) => {
          const { space, node, ledger, board, by } = this.#stage;
          const versions = ledger.versions([record]);
          const value: Seen = { record, version: board.version(record), by, at: Date.now(), parts: [] };
          ledger.note(record, `sets ${value.version}`);
          await this.#acknowledged(versions, space.set(node(record), value as never), "set");
        },
        ["plain", "tagged", "tiered", "scoped"],
      ),
    change: () =>
      this.#change(async (record) => {
        const { space, node } = this.#stage;
        await this.#invalidates([record], () => space.invalidate([node(record)]), "invalidate");
      }),
    invalidate: async () => {
      const chosen = Array.from({ length: 1 + this.#random.below(4) }, () => this.#lively());
      const { space, node } = this.#stage;
      await this.#invalidates(chosen, () => space.invalidate(chosen.map(node)), "invalidate");
    },
    invalidateSoon: async () => {
      const record = this.#lively();
      const { space, node, ledger } = this.#stage;
      const versions = ledger.versions([record]);
      ledger.note(record, "invalidates soon");
      space.invalidateSoon([node(record)]);
      ledger.settled(versions);
    },
    invalidateTags: async () => {
      const group = this.#random.below(groups);
      const isIn = (id: number) => id % groups === group;
      const team = [...recordsOf("tagged", isIn), ...recordsOf("tiered", isIn)];
      const told = recordsOf("told", isIn);
      const { space } = this.#stage;
      const choice = this.#random.below(3);
      const tags = [...(choice !== 1 ? [`team:${group}`] : []), ...(choice !== 0 ? [`told:${group}`] : [])];
      const chosen = [...(choice !== 1 ? team : []), ...(choice !== 0 ? told : [])];
      for (const record of chosen) if (this.#isOwn(record)) this.#bump(record);
      await this.#invalidates(chosen, () => space.invalidateTags(...tags), `invalidateTags ${tags}`);
    },
    invalidateScope: async () => {
      const id = this.#random.below(ids);
      const { space } = this.#stage;
      const isWhole = this.#random.chance(0.5);
      const chosen = isWhole
        ? recordsOf("scoped", (one) => one % groups === id % groups)
        : [recordOf("scoped", id)];
      for (const record of chosen) if (this.#isOwn(record)) this.#bump(record);
      const scope = isWhole ? { org: id % groups } : { org: id % groups, user: id };
      await this.#invalidates(chosen, () => space.invalidateScope(scope), "invalidateScope");
    },
    invalidateMatching: async () => {
      const kind = this.#random.pick<Kind>(["plain", "tagged", "told", "tiered"]);
      const { space } = this.#stage;
      const chosen = recordsOf(kind);
      for (const record of chosen) if (this.#isOwn(record)) this.#bump(record);
      await this.#invalidates(
        chosen,
        () => space.invalidateMatching(`${kind}:*`).then(() => {}),
        "invalidateMatching",
      );
    },
    clear: async () => {
      await this.#stage.space.clear();
    },
    replaceStorage: () => this.#stage.replaceStorage(),
  };

  #any(): number {
    return this.#random.below(records);
  }

  /** Returns a record that may be invalidated and refreshed. */
  #lively(): number {
    const record = this.#any();
    return kindOf(record) === "quiet" ? recordOf("plain", idOf(record)) : record;
  }

  #isOwn(record: number): boolean {
    const { slot, processes, changing } = this.#stage;
    return record % processes === slot && !changing.has(record);
  }

  #bump(record: number): void {
    const { board, ledger } = this.#stage;
    const version = board.version(record) + 1;
    board.setVersion(record, version);
    ledger.note(record, `source ${version}`);
  }

  /** Changes the source of a record that only this process changes, and then does what follows. */
  async #change(
    then: (record: number) => Promise<void>,
    of: readonly Kind[] = kinds.filter((kind) => kind !== "quiet"),
  ): Promise<void> {
    const { changing } = this.#stage;
    const own = of.flatMap((kind) => recordsOf(kind)).filter((record) => this.#isOwn(record));
    const record = own[this.#random.below(own.length)];
    if (record === undefined) return;
    changing.add(record);
    this.#bump(record);
    await then(record).finally(() => changing.delete(record));
  }

  async #invalidates(chosen: readonly number[], call: () => Promise<void>, how: string): Promise<void> {
    const { ledger } = this.#stage;
    const versions = ledger.versions(chosen);
    for (const [record, version] of versions) ledger.note(record, `${how} at ${version}`);
    await this.#acknowledged(versions, call(), how);
  }

  async #acknowledged(
    versions: ReadonlyMap<number, number>,
    call: Promise<void>,
    how: string,
  ): Promise<void> {
    const { ledger } = this.#stage;
    const note = (text: string): void => {
      for (const [record, version] of versions) ledger.note(record, `${how} ${text} at ${version}`);
    };
    try {
      await call;
      ledger.acknowledged(versions, { isSet: how === "set" });
      note("resolved");
    } catch (error) {
      note(`rejected: ${shown(error)}`);
      const { code, settled } = error as { readonly code?: unknown; readonly settled?: Promise<void> };
      if (typeof code !== "string" || !code.endsWith("_INCOMPLETE")) throw error;
      // The removal of a pattern is not repeated.
      if (how === "invalidateMatching") return;
      ledger.settled(versions, { isSet: how === "set" });
      if (how === "set") return;
      void settled?.then(
        () => {
          ledger.acknowledged(versions);
          note("settled");
        },
        () => note("never settled"),
      );
    }
  }

  async #read(how: string, record: number, call: (node: N) => Promise<unknown>): Promise<void> {
    const begin = this.#begin(record);
    this.#end(how, begin, await call(this.#stage.node(record)).catch(allowsPlanned));
  }

  async #fresh(how: string, call: (node: N) => Promise<unknown>): Promise<void> {
    const record = this.#lively();
    const { board, ledger } = this.#stage;
    const version = board.version(record);
    const begin = this.#begin(record);
    const answer = await call(this.#stage.node(record)).catch(allowsPlanned);
    this.#end(how, begin, answer);
    const seen = answer as Seen | undefined;
    if (seen !== undefined && seen.version < version) {
      ledger.violate(`${how} gave version ${seen.version} of a source at ${version}`, record);
    }
  }

  #begin(record: number): Begun {
    const { ledger } = this.#stage;
    const floors = new Map(partsOf(record).map((part) => [part, ledger.floorOfPart(part, record)]));
    return { record, at: sharedTime(), floors: floors.set(record, ledger.floor(record)) };
  }

  #end(how: string, { record, at, floors }: Begun, answer: unknown): void {
    if (answer === undefined) return;
    const { ledger, by } = this.#stage;
    const seen = answer as Seen; // The loads and sets of this fuzz make all values.
    if (seen.record !== record) ledger.violate(`${how} gave the value of record ${seen.record}`, record);
    else ledger.check(how, seen, by, floors, at);
  }
}

interface Begun {
  readonly record: number;
  readonly at: number;
  readonly floors: ReadonlyMap<number, Floor>;
}
