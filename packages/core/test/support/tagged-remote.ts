import {
  type Generation,
  type Generations,
  generationFrom,
  generationText,
} from "../../src/storage/generations.js";
import type { KeyPattern } from "../../src/storage/key-pattern.js";
import { LeasedRemote } from "./leased-remote.js";

/** The number of generations made by all storages, for their ids. */
let made = 0;

/** A simulated storage with every capability. */
export class TaggedRemote extends LeasedRemote {
  readonly generations: Generations = {
    ensure: (keys, ttl) => this.carryOut("ensure", keys, () => keys.map((key) => this.#ensure(key, ttl))),
    bump: (keys, ttl) => this.carryOut("bump", keys, () => keys.map((key) => this.#bump(key, ttl))),
  };

  async *scan(pattern: KeyPattern): AsyncGenerator<string[]> {
    const page = 10;
    for (let from = 0; ; from += page) {
      const keys = await this.carryOut("scan", [], () => [
        ...new Set([...this.records.keys(), ...this.held.keys()]),
      ]);
      if (from >= keys.length) return;
      yield keys.slice(from, from + page).filter((key) => pattern.matches(key));
    }
  }

  /** Drops what it holds of a tag, as an eviction does. */
  lose(tag: string): void {
    this.records.delete(`cacheme:~tag:${tag}`);
  }

  #ensure(key: string, ttl: number | undefined): Generation {
    const held = this.records.get(key);
    const found = generationFrom(held !== undefined && held.until > this.now() ? held.bytes : undefined);
    return found === undefined
      ? this.#bump(key, ttl)
      : this.#store(key, found, Math.max(held!.until, this.#end(ttl)));
  }

  #bump(key: string, ttl: number | undefined): Generation {
    const before = generationFrom(this.records.get(key)?.bytes)?.at ?? 0;
    const generation = { id: `id${++made}`, at: Math.max(before, this.now()) };
    return this.#store(key, generation, this.#end(ttl));
  }

  #store(key: string, generation: Generation, until: number): Generation {
    this.records.set(key, { bytes: Buffer.from(generationText(generation)), until });
    return generation;
  }

  #end(ttl: number | undefined): number {
    return this.now() + (ttl ?? Number.POSITIVE_INFINITY);
  }
}
