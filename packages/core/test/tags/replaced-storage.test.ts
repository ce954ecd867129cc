import { describe, expect, it } from "vitest";
import { defineNode, type IncompleteError } from "../../src/index.js";
import { settled } from "../support/deferred.js";
import { reason } from "../support/reason.js";
import { remoteOnly, taggedSpace } from "../support/space.js";
import { TaggedRemote } from "../support/tagged-remote.js";
import type { VirtualClock } from "../support/virtual-clock.js";

/** A space, its source, and a function that gives the name "remote" to another client. */
async function replaceable() {
  const { cacheme, clock, remote, process } = await taggedSpace();
  const source = { value: "old" };
  const inner = defineNode({
    name: "inner",
    caches: remoteOnly,
    key: (id: number) => `${id}`,
    tags: () => ["team:7"],
    load: () => source.value,
  });
  const outer = defineNode({
    name: "outer",
    caches: remoteOnly,
    key: (id: number) => `${id}`,
    dependsOn: (id: number) => [inner(id)],
    load: () => source.value,
  });
  const replace = async () => {
    const again = new TaggedRemote(clock, remote);
    await cacheme.registerStorage("remote", again, { replace: true });
    return again;
  };
  return { cacheme, clock, remote, process, source, inner, outer, replace };
}

async function pass(clock: VirtualClock): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    clock.advance(1_000);
    await settled();
  }
}

const down = (operation: string) => {
  if (operation === "bump" || operation === "remove") throw new Error("The storage is down.");
};

describe("an invalidation that another client of the server takes over", () => {
  it("hides the tag's old entries until it has reached the server", async () => {
    const { cacheme, remote, source, inner, replace } = await replaceable();
    await cacheme.get(inner(1));
    source.value = "new";
    remote.gate = down;
    await reason(cacheme.invalidateTags("team:7"));
    await replace();
    expect(await cacheme.get(inner(1))).toBe("new");
  });

  it("is repeated by the new client", async () => {
    const { cacheme, clock, remote, process, source, inner, replace } = await replaceable();
    await cacheme.get(inner(1));
    source.value = "new";
    remote.gate = down;
    const error = (await reason(cacheme.invalidateTags("team:7"))) as IncompleteError;
    await replace();
    await pass(clock);
    await error.settled;
    const other = await process();
    expect(await other.get(inner(1))).toBe("new");
  });

  it("reaches the values that depend on a node", async () => {
    const { cacheme, clock, remote, process, source, inner, outer, replace } = await replaceable();
    await cacheme.getAll([inner(1), outer(1)]);
    source.value = "new";
    remote.gate = down;
    const error = (await reason(cacheme.invalidate(inner(1)))) as IncompleteError;
    await replace();
    expect(await cacheme.get(outer(1))).toBe("new");
    await pass(clock);
    await error.settled;
    const other = await process();
    expect(await other.get(outer(1))).toBe("new");
  });
});
