import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Section, section } from "../case.js";
import { readTexts, record } from "../expect.js";

/**
 * Returns keys that look like the names of a key's lease or generation in some storage, or of a key
 * that is too long for the database. Their records must be independent of the key.
 */
function lookAlikes(key: string): readonly string[] {
  const hashes = (["hex", "base64url"] as const).flatMap((encoding) => {
    const hash = createHash("sha256").update(key).digest(encoding);
    return [hash, hash.slice(0, 32)];
  });
  const words = ["lease", "leases", "lock", "token", "generation", "tag", "fresh"];
  return [
    ...words.flatMap((word) => [`${key}:${word}`, `${word}:${key}`, `${key}_${word}`, `${key}.${word}`]),
    ...hashes.flatMap((hash) => [hash, `#${hash}`, `leases/${hash}`, `${key.slice(0, 200)}${hash}`]),
    ...[" ", "#", "@1"].flatMap((sign) => [`${key}${sign}`, `${sign}${key}`]),
  ].filter((name) => name.length <= 2000);
}

/** A key of a usual length, and a key that most databases must shorten. */
const lengths: Readonly<Record<string, number>> = { short: 1, long: 1900 };

/** The names of leases. */
export const namesOfLeases: Section = section("leases", {
  "keeps leases under names that no key can have": async ({ storage, key }) => {
    const { leases } = storage;
    assert.ok(leases !== undefined);
    for (const [length, units] of Object.entries(lengths)) {
      const leased = key(`leased:${length}:${"x".repeat(units)}`);
      const names = lookAlikes(leased);
      const [answer] = await leases.acquire([{ key: leased, duration: 60_000 }]);
      assert.equal(answer?.outcome, "granted");
      assert.deepEqual(
        await readTexts(storage, ...names),
        names.map(() => undefined),
      );
      await storage.writeMany(names.map((name) => record(name, name)));
      await storage.removeMany(names);
      const others = await leases.acquire(names.map((name) => ({ key: name, duration: 60_000 })));
      assert.deepEqual(new Set(others.map(({ outcome }) => outcome)), new Set(["granted"]));
      await storage.writeMany(names.map((name) => record(name, name)));
      const token: string = answer.outcome === "granted" ? answer.token : "";
      assert.deepEqual(await leases.fill([{ ...record(leased, "V"), token }]), [true]);
      assert.deepEqual(await readTexts(storage, leased, ...names), ["V", ...names]);
      await storage.removeMany([leased, ...names]);
    }
  },
});

/** The names of generations. */
export const namesOfGenerations: Section = section("generations", {
  "keeps generations under names that no other key can have": async ({ storage, key }) => {
    const { generations } = storage;
    assert.ok(generations !== undefined);
    for (const [length, units] of Object.entries(lengths)) {
      const tag = key(`tag:${length}:${"x".repeat(units)}`);
      const names = lookAlikes(tag);
      const before = await generations.ensure([tag], 60_000);
      await generations.bump(names, 60_000);
      await storage.writeMany(names.map((name) => record(name, name)));
      assert.deepEqual(await generations.ensure([tag], 60_000), before);
      await storage.removeMany(names.slice(1));
      assert.deepEqual(await generations.ensure([tag], 60_000), before);
      await generations.bump([tag], 60_000);
      assert.deepEqual(await readTexts(storage, names[0] ?? ""), [names[0]]);
      await storage.removeMany([tag, ...names]);
    }
  },
});
