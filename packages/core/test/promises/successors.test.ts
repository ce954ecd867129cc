import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Cacheme, memory, type Node, type NodeMeta } from "../../src/index.js";
import { type Deferred, deferred, settled } from "../support/deferred.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, NumberedNode, remoteOnly, type Space, space, twoTiers } from "../support/space.js";

type Source = (id: number) => string | Promise<string>;

/** A class, and the same class after its source was edited. */
const versions = {
  first: (meta: NodeMeta, source: Source) =>
    class Row extends NumberedNode<string> {
      static override meta: NodeMeta = { name: "row", ...meta };
      override load() {
        return source(this.id);
      }
    },
  edited: (meta: NodeMeta, source: Source) => countingNode({ name: "row", ...meta }, source).Counting,
};

const unused: Source = () => {
  throw new Error("nothing loads here");
};

/** Holds the storage's next request of that kind before it is carried out. */
function hold(remote: SimulatedRemote, held: "read" | "write" | "remove"): Deferred<void> {
  const gate = deferred();
  let isHeld = false;
  remote.gate = (operation, moment) => {
    if (isHeld || operation !== held || moment !== "request") return undefined;
    isHeld = true;
    return gate.promise;
  };
  return gate;
}

/** Begins to set "older", and holds its write. */
async function heldSet({ cacheme, remote }: Space, node: Node<string>) {
  const writing = hold(remote, "write");
  const older = cacheme.set(node, "older");
  await settled();
  return { writing, older };
}

/** Replaces the storage "remote" with another client of its server. */
async function reconnect({ cacheme, clock, remote }: Space): Promise<SimulatedRemote> {
  const other = new SimulatedRemote(clock, remote);
  await cacheme.registerStorage("remote", other, { replace: true });
  return other;
}

beforeEach(() => {
  vi.spyOn(process, "emitWarning").mockReturnValue();
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("another client of the same server", () => {
  it.each<[string, (cacheme: Cacheme, row: Node<string>) => Promise<unknown>, string]>([
    ["writes", (cacheme, row) => cacheme.set(row, "newer"), "newer"],
    ["removes", (cacheme, row) => cacheme.invalidate(row), "loaded"],
  ])("%s after its predecessor's requests under way", async (_, change, found) => {
    const made = await space();
    const Row = versions.first({ caches: remoteOnly }, () => "loaded");
    const { writing, older } = await heldSet(made, new Row(1));
    await reconnect(made);
    const newer = change(made.cacheme, new Row(1));
    await settled();
    writing.resolve();
    await Promise.all([older, newer]);
    expect(await made.cacheme.get(new Row(1))).toBe(found);
  });

  it("carries out the requests that waited behind its predecessor", async () => {
    const made = await space();
    const Row = versions.first({ caches: remoteOnly }, () => "loaded");
    const { writing, older } = await heldSet(made, new Row(1));
    const removed = made.cacheme.invalidate(new Row(1));
    const other = await reconnect(made);
    writing.resolve();
    await Promise.all([older, removed]);
    expect(other.count("remove")).toBe(1);
    expect(await made.cacheme.get(new Row(1))).toBe("loaded");
  });

  it("carries out requests that failed because its predecessor is closed", async () => {
    const made = await space();
    const Row = versions.first({ caches: remoteOnly }, () => "loaded");
    await made.cacheme.set(new Row(1), "older");
    made.remote.gate = () => {
      if (made.remote.closed > 0) throw new Error("closed");
    };
    const removed = made.cacheme.invalidate(new Row(1));
    const set = made.cacheme.set(new Row(2), "set");
    await reconnect(made);
    await Promise.all([removed, set]);
    expect(await made.cacheme.get(new Row(1))).toBe("loaded");
    expect(await made.cacheme.get(new Row(2))).toBe("set");
  });

  it("keeps a set that it interrupted", async () => {
    const made = await space();
    const Row = versions.first({ caches: twoTiers }, unused);
    const writing = hold(made.remote, "write");
    const set = made.cacheme.set(new Row(1), "set");
    await settled();
    await reconnect(made);
    writing.resolve();
    await set;
    expect(await made.cacheme.get(new Row(1))).toBe("set");
  });

  it("does not trust a key that an invalidation did not reach", async () => {
    const made = await space();
    let source = "old";
    const Row = versions.first({ caches: remoteOnly }, () => source);
    await made.cacheme.get(new Row(1));
    source = "new";
    made.remote.gate = (operation) => {
      if (operation === "remove") throw new Error("down");
    };
    await expect(made.cacheme.invalidate(new Row(1))).rejects.toMatchObject({ storages: ["remote"] });
    await reconnect(made);
    expect(await made.cacheme.get(new Row(1))).toBe("new");
  });
});

describe("a class that is evaluated again with another source", () => {
  it("writes after its predecessor's requests under way", async () => {
    const made = await space();
    const { cacheme } = made;
    const First = versions.first({ caches: remoteOnly }, unused);
    const Edited = versions.edited({ caches: remoteOnly }, unused);
    const { writing, older } = await heldSet(made, new First(1));
    const newer = cacheme.set(new Edited(1), "newer");
    await settled();
    writing.resolve();
    await Promise.all([older, newer]);
    expect(await cacheme.get(new Edited(1))).toBe("newer");
  });

  it("leaves no older value than a refresh that it interrupted", async () => {
    const { cacheme } = await space();
    const loading = deferred<string>();
    const First = versions.first({ caches: twoTiers }, () => loading.promise);
    const Edited = versions.edited({ caches: twoTiers }, () => "edited");
    await cacheme.set(new First(1), "old");
    const refreshed = cacheme.refresh(new First(1));
    await settled();
    expect(await cacheme.get(new Edited(1))).toBe("old");
    loading.resolve("new");
    expect(await refreshed).toBe("new");
    expect(await cacheme.get(new Edited(1))).toBe("edited");
  });

  it("distrusts keys that an earlier class of its version could not remove", async () => {
    const { cacheme, remote } = await space();
    let source = "old";
    const caches = remoteOnly;
    await cacheme.get(new (versions.first({ caches, version: 1 }, () => source))(1));
    source = "new";
    remote.gate = (operation) => {
      if (operation === "remove") throw new Error("down");
    };
    const First = versions.first({ caches, version: 1 }, () => source);
    await expect(cacheme.invalidate(new First(1))).rejects.toMatchObject({ storages: ["remote"] });
    await cacheme.get(new (versions.edited({ caches, version: 2 }, () => source))(1));
    expect(await cacheme.get(new (versions.edited({ caches, version: 1 }, () => source))(1))).toBe("new");
  });

  it("keeps the name, whichever storages were replaced before", async () => {
    const { cacheme } = await space();
    const First = versions.first({ caches: twoTiers }, () => "first");
    const Edited = versions.edited({ caches: twoTiers }, () => "edited");
    await cacheme.get(new First(1));
    await cacheme.registerStorage("local", memory({ maxSize: 7 }), { replace: true });
    await cacheme.get(new Edited(2));
    await cacheme.get(new First(3));
    expect(cacheme.nodes().map(({ nodeClass }) => nodeClass)).toEqual([Edited]);
  });

  it("only takes its predecessor's place if its storages are known", async () => {
    const { cacheme } = await space();
    const First = versions.first({ caches: twoTiers }, () => "first");
    const Edited = versions.edited({ caches: [{ storage: "elsewhere" }] as never }, () => "edited");
    await cacheme.get(new First(1));
    await expect(cacheme.get(new Edited(1))).rejects.toMatchObject({ code: "CACHEME_UNKNOWN_STORAGE" });
    await cacheme.get(new First(2));
    expect(cacheme.peekLocal(new First(2))?.value).toBe("first");
  });
});

describe("a read that a successor interrupts before its load", () => {
  it("is stored for later readers", async () => {
    const made = await space();
    let loads = 0;
    const Row = versions.first({ caches: twoTiers }, () => `load ${++loads}`);
    const reading = hold(made.remote, "read");
    const before = made.cacheme.get(new Row(1));
    await settled();
    await reconnect(made);
    const after = made.cacheme.get(new Row(1));
    reading.resolve();
    expect(await Promise.all([before, after])).toEqual(["load 1", "load 1"]);
    expect(made.cacheme.peekLocal(new Row(1))?.value).toBe("load 1");
    expect(made.remote.records.size).toBe(1);
  });

  it("is never a third load of its key", async () => {
    const { cacheme } = await space();
    let [running, most] = [0, 0];
    const endings: Deferred<string>[] = [];
    const source = async () => {
      running += 1;
      most = Math.max(most, running);
      const ending = deferred<string>();
      endings.push(ending);
      return await ending.promise.finally(() => {
        running -= 1;
      });
    };
    const First = versions.first({ caches: twoTiers }, source);
    const Edited = versions.edited({ caches: twoTiers }, source);
    const reads = [cacheme.refresh(new First(1))];
    await settled();
    reads.push(cacheme.refresh(new First(1)));
    await settled();
    reads.push(cacheme.get(new Edited(1)));
    await settled();
    expect(most).toBe(2);
    for (let ended = 0; ended < endings.length; ended++) {
      endings[ended]?.resolve(`load ${ended + 1}`);
      await settled();
    }
    expect(await Promise.all(reads)).toEqual(["load 1", "load 2", "load 3"]);
    expect(most).toBe(2);
  });
});
