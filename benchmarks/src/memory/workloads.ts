import { generator, uniform, zipf } from "./sequence.js";
import type { Subject } from "./subject.js";

/** The number of requests, which are drawn before the clock starts and then repeated. */
const DRAWN = 1 << 20;

/**
 * A column of the speed table: prepares a cache and returns a function that runs `operations`
 * requests.
 */
interface Workload {
  readonly name: string;
  prepare(cache: Subject, size: number): (operations: number) => number;
}

/** Keys such as `item:123456`, like most keys of applications. */
function keyOf(number: number): string {
  return `item:${number}`;
}

/** Strings with a hash that V8 has already computed, like those that a program keeps. */
function keptKeys(from: number, count: number): string[] {
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) seen.add(keyOf(from + i));
  return [...seen];
}

function fill(cache: Subject, keys: readonly string[]): void {
  for (let i = 0; i < keys.length; i++) cache.set(keys[i] ?? "", i);
}

export const workloads: readonly Workload[] = [
  {
    name: "hit, key string reused",
    prepare(cache, size) {
      const keys = keptKeys(0, size);
      fill(cache, keys);
      return hits(cache, keys, uniform(DRAWN, size, generator(1)));
    },
  },
  {
    name: "hit, key string built fresh",
    prepare(cache, size) {
      fill(cache, keptKeys(0, size));
      const drawn = uniform(DRAWN, size, generator(2));
      return (operations) => {
        let found = 0;
        for (let i = 0; i < operations; i++) {
          if (cache.get(keyOf(drawn[i & (DRAWN - 1)] ?? 0)) !== undefined) found++;
        }
        return found;
      };
    },
  },
  {
    name: "miss",
    prepare(cache, size) {
      fill(cache, keptKeys(0, size));
      return hits(cache, keptKeys(size, size), uniform(DRAWN, size, generator(3)));
    },
  },
  {
    name: "overwrite",
    prepare(cache, size) {
      const keys = keptKeys(0, size);
      fill(cache, keys);
      const drawn = uniform(DRAWN, size, generator(4));
      return (operations) => {
        for (let i = 0; i < operations; i++) cache.set(keys[drawn[i & (DRAWN - 1)] ?? 0] ?? "", i);
        return operations;
      };
    },
  },
  {
    name: "insert with eviction",
    prepare(cache, size) {
      fill(cache, keptKeys(0, size));
      let next = size;
      return (operations) => {
        for (let i = 0; i < operations; i++) cache.set(keyOf(next++), i);
        return operations;
      };
    },
  },
  {
    name: "Zipf(0.99) 90/10",
    prepare(cache, size) {
      const keys = keptKeys(0, 2 * size);
      const drawn = zipf(DRAWN, keys.length, 0.99, generator(5));
      fill(cache, keys);
      return (operations) => {
        let found = 0;
        for (let i = 0; i < operations; i++) {
          const key = keys[drawn[i & (DRAWN - 1)] ?? 0] ?? "";
          if (i % 10 === 9) cache.set(key, i);
          else if (cache.get(key) !== undefined) found++;
        }
        return found;
      };
    },
  },
  {
    name: "read-through",
    prepare(cache, size) {
      const keys = keptKeys(0, 2 * size);
      const drawn = zipf(DRAWN, keys.length, 0.99, generator(6));
      fill(cache, keys);
      return (operations) => {
        let found = 0;
        for (let i = 0; i < operations; i++) {
          const key = keys[drawn[i & (DRAWN - 1)] ?? 0] ?? "";
          if (cache.get(key) !== undefined) found++;
          else cache.set(key, i);
        }
        return found;
      };
    },
  },
];

function hits(cache: Subject, keys: readonly string[], drawn: Int32Array): (operations: number) => number {
  return (operations) => {
    let found = 0;
    for (let i = 0; i < operations; i++) {
      if (cache.get(keys[drawn[i & (DRAWN - 1)] ?? 0] ?? "") !== undefined) found++;
    }
    return found;
  };
}
