import { describe, expect, it } from "vitest";
import type { NodeMeta } from "../../src/index.js";
import { countingNode, localOnly, remoteOnly, space, twoTiers } from "../support/space.js";

const minute = 60_000;

const refusals: readonly [string, Partial<NodeMeta>, unknown][] = [
  ["shouldCache", { shouldCache: (value) => value !== "unwanted" }, "unwanted"],
  ["the serializer", {}, () => "a function"],
];

describe.each([
  ["a local tier", localOnly],
  ["a remote tier", remoteOnly],
  ["two tiers", twoTiers],
] as const)("a class that returns stale values, with %s", (tiers, caches) => {
  it.each(refusals)("returns no older value after one that %s keeps out", async (refuser, meta, refused) => {
    if (refuser === "the serializer" && tiers === "a local tier") return; // A local tier takes every value.
    const { cacheme, clock } = await space();
    const answers = ["old", refused];
    const { Counting } = countingNode<unknown>({ caches, staleIfError: "1h", ...meta }, (_, load) => {
      if (load > 2) throw new Error("down");
      return answers[load - 1];
    });
    expect(await cacheme.get(new Counting(1))).toBe("old");
    clock.advance(10 * minute + 1);
    expect(await cacheme.get(new Counting(1))).toBe(refused);
    clock.advance(10 * minute + 1);
    const read = await cacheme.get(new Counting(1)).catch(({ message }) => message);
    // A local tier may have taken what the serializer of the remote one refused.
    expect([refused, "down"]).toContain(read);
  });
});
