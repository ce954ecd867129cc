import { describe, expect, it } from "vitest";
import { storeOf } from "../../src/cache/bounded-cache.js";
import { BoundedCache } from "../../src/index.js";
import { KeyHash } from "../../src/table/key-hash.js";
import { seeded } from "../support/random.js";

/**
 * Returns keys whose searches all begin at one position of a table of 2^14, under a leaked secret.
 */
function collidingKeys(count: number, leaked: KeyHash): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    const key = `k${i.toString(36)}`;
    if ((leaked.ofString(0, key) & 0x3fff) === 7) keys.push(key);
  }
  return keys;
}

function longestCluster(table: Int32Array): number {
  let longest = 0;
  let length = 0;
  for (const entry of [...table, ...table]) {
    length = entry === 0 ? 0 : length + 1;
    longest = Math.max(longest, length);
  }
  return Math.min(longest, table.length);
}

describe("keys chosen by an attacker", () => {
  const keys = collidingKeys(500, new KeyHash(seeded(1)));

  it("collide only if the secret is known", () => {
    const known = new BoundedCache<string, number>({ maxSize: 500, policy: "lru", random: seeded(1) });
    for (const key of keys) known.set(key, 1);
    const clustersElsewhere = [2, 3, 4, 5].map((seed) => {
      const cache = new BoundedCache<string, number>({ maxSize: 500, policy: "lru", random: seeded(seed) });
      for (const key of keys) cache.set(key, 1);
      return longestCluster(storeOf(cache).table);
    });
    expect(longestCluster(storeOf(known).table)).toBe(500);
    expect(Math.max(...clustersElsewhere)).toBeLessThan(40);
  });

  it("are found and evicted correctly even if they all collide", () => {
    const cache = new BoundedCache<string, number>({ maxSize: 200, policy: "lru", random: seeded(1) });
    keys.forEach((key, i) => void cache.set(key, i));
    expect(keys.map((key) => cache.get(key))).toEqual(keys.map((_, i) => (i < 300 ? undefined : i)));
  });

  it("find a different secret in each cache", () => {
    const [one, other] = [0, 1].map(() => {
      const cache = new BoundedCache<string, number>({ maxSize: 1_000, policy: "lru" });
      return keys.map((key) => storeOf(cache).hashOf(0, key));
    });
    expect(one).not.toEqual(other);
  });
});
