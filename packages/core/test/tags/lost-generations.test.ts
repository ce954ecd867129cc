import { describe, expect, it } from "vitest";
import { defineNode } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { remoteOnly, taggedSpace } from "../support/space.js";

describe("a generation that was lost and made again by a clock that is behind", () => {
  it("makes older entries misses in a process that knows the lost one", async () => {
    const { cacheme, clock, remote, process } = await taggedSpace();
    const other = await process();
    const source = { value: "old", gate: Promise.resolve() };
    const inner = defineNode({ name: "inner", caches: remoteOnly, key: () => "1", load: () => source.value });
    const outer = defineNode({
      name: "outer",
      caches: remoteOnly,
      key: () => "1",
      dependsOn: () => [inner()],
      load: async () => {
        await source.gate;
        return source.value;
      },
    });
    expect(await cacheme.get(outer())).toBe("old");
    clock.advance(1_000);
    // memcached's clients read the server's clock, each up to two seconds off.
    remote.skew = -2_000;
    source.value = "new";
    await other.invalidate(inner());
    const loading = deferred();
    source.gate = loading.promise;
    const loaded = other.get(outer());
    await settled();
    const read = cacheme.get(outer());
    await settled();
    loading.resolve();
    expect(await loaded).toBe("new");
    clock.advance(1_000);
    expect(await read).toBe("new");
  });
});

describe("a generation that was lost after an invalidation during a load", () => {
  it("lets no tier take the load's value, although only the value tells the tag", async () => {
    const { cacheme, clock, remote, process } = await taggedSpace();
    const other = await process();
    const source = { value: "old", gate: Promise.resolve() };
    const post = defineNode({
      name: "post",
      caches: remoteOnly,
      key: () => "1",
      load: async (_: undefined, { tag }) => {
        const { value } = source;
        await source.gate;
        tag("author:1");
        return value;
      },
    });
    const loading = deferred();
    source.gate = loading.promise;
    const read = cacheme.get(post());
    await settled();
    clock.advance(1);
    source.value = "new";
    await other.invalidateTags("author:1");
    for (const key of [...remote.records.keys()]) if (key.includes("author:1")) remote.records.delete(key);
    clock.advance(1);
    // The load makes the generation again, which says nothing about the time before.
    loading.resolve();
    expect(await read).toBe("old");
    expect(await other.get(post())).toBe("new");
  });
});
