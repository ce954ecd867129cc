import { expect, it } from "vitest";
import { defineNode } from "../../src/index.js";
import { settled } from "../support/deferred.js";
import { hold } from "../support/hold.js";
import { remoteOnly, taggedSpace } from "../support/space.js";

it.each(["dependsOn", "track"])(
  "keeps no value that %s makes of an answer from before its load",
  async (way) => {
    const { cacheme, clock, remote, process } = await taggedSpace();
    const other = await process();
    const source = { value: "old" };
    const inner = defineNode({ name: "inner", caches: remoteOnly, key: () => "1", load: () => source.value });
    const outer = defineNode({
      name: "outer",
      caches: remoteOnly,
      key: () => "1",
      ...(way === "track" ? { track: true } : { dependsOn: () => [inner()] }),
      load: async (_, { get }) => `made of ${await get(inner())}`,
    });
    expect(await cacheme.get(outer())).toBe("made of old");
    await cacheme.invalidate(outer());
    clock.advance(10);
    // The server has answered this read, and the answer is on its way.
    const answer = hold(remote, "read", "answer");
    const early = cacheme.get(inner());
    await settled();
    remote.gate = () => {};
    source.value = "new";
    await other.invalidate(inner());
    clock.advance(10);
    const made = cacheme.get(outer());
    await settled();
    answer.resolve();
    await Promise.all([early, made]);
    clock.advance(10);
    expect(await cacheme.get(outer())).toBe("made of new");
  },
);
