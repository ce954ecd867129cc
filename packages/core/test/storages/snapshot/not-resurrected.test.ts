import { describe, expect, it } from "vitest";
import { defineNode, memory } from "../../../src/index.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { Run, SnapshotFolder } from "./snapshot-space.js";

/** Saves users 1 to 3, of which 1 and 2 have tags, and goes on running. */
async function saved(folder: SnapshotFolder) {
  const run = await Run.begin(new VirtualClock(), folder.file);
  const User = run.userClass();
  const nodes = [new User(1, ["red"]), new User(2, ["red", "blue"]), new User(3)] as const;
  await run.cacheme.getAll(nodes);
  await run.local.saveSnapshot();
  return { ...run, run, User, nodes, cacheme: run.cacheme };
}

/** Returns the users that the next process loads, after the last one was killed. */
async function loadedAfterKill(folder: SnapshotFolder): Promise<readonly string[]> {
  const run = await Run.begin(new VirtualClock(), folder.file);
  const User = run.userClass();
  await run.cacheme.getAll([new User(1, ["red"]), new User(2, ["red", "blue"]), new User(3)]);
  return run.loads;
}

type Saved = Awaited<ReturnType<typeof saved>>;

/** The changes after a save, with the users whose saved values are wrong then. */
const changes: readonly [string, (process: Saved) => Promise<unknown> | unknown, readonly string[]][] = [
  ["nothing", () => {}, []],
  ["invalidate", ({ cacheme, nodes }) => cacheme.invalidate(nodes[2]), ["3"]],
  ["set", ({ cacheme, nodes }) => cacheme.set(nodes[2], { name: "newer" }), ["3"]],
  ["refresh", ({ cacheme, nodes }) => cacheme.refresh(nodes[2]), ["3"]],
  ["expire", ({ cacheme, nodes }) => cacheme.expire(nodes[2]), ["3"]],
  ["invalidateTags", ({ cacheme }) => cacheme.invalidateTags("blue"), ["2"]],
  ["invalidateTags of several", ({ cacheme }) => cacheme.invalidateTags("red"), ["1", "2"]],
  ["invalidateMatching", ({ cacheme }) => cacheme.invalidateMatching("user:1*"), ["1"]],
  ["invalidateAll", ({ cacheme, User }) => cacheme.invalidateAll(User), ["1", "2", "3"]],
  ["clear", ({ cacheme }) => cacheme.clear(), ["1", "2", "3"]],
  [
    "a definition that replaces the class",
    ({ cacheme, run }) => {
      const Before = run.userClass();
      const User = class extends Before {
        static override meta = { ...Before.meta };
        override load() {
          return { name: "another source" };
        }
      };
      return cacheme.get(new User(9));
    },
    ["1", "2", "3"],
  ],
];

describe("a process that was killed after it had saved", () => {
  it.each(changes)("does not bring back what was changed: %s", async (_, change, expected) => {
    using folder = new SnapshotFolder();
    const process = await saved(folder);
    await change(process);
    expect(await loadedAfterKill(folder)).toEqual(expected);
  });

  it.each(changes)(
    "does not bring it back if the next process changed it: %s",
    async (_, change, expected) => {
      using folder = new SnapshotFolder();
      const first = await saved(folder);
      await first.cacheme.close();
      const run = await Run.begin(new VirtualClock(), folder.file);
      const User = run.userClass();
      const nodes = [new User(1, ["red"]), new User(2, ["red", "blue"]), new User(3)] as const;
      await run.cacheme.get(nodes[0]);
      await change({ ...run, run, User, nodes, cacheme: run.cacheme });
      expect(await loadedAfterKill(folder)).toEqual(expected);
    },
  );

  it("does not bring back what was changed while it saved", async () => {
    using folder = new SnapshotFolder();
    const run = await Run.begin(new VirtualClock(), folder.file);
    const User = run.userClass();
    const nodes = Array.from({ length: 2_000 }, (_, id) => new User(id, [`tag${id}`]));
    await run.cacheme.getAll(nodes);
    let isSaved = false;
    const saving = run.local.saveSnapshot().then(() => {
      isSaved = true;
    });
    const changed = new Set<string>();
    for (let id = 0; !isSaved; id += 2) {
      await run.cacheme.invalidate(new User(id));
      await run.cacheme.invalidateTags(`tag${1_999 - id}`);
      changed.add(`${id}`).add(`${1_999 - id}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await saving;
    const next = await Run.begin(new VirtualClock(), folder.file);
    const Next = next.userClass();
    await next.cacheme.getAll(Array.from({ length: 2_000 }, (_, id) => new Next(id, [`tag${id}`])));
    expect(new Set(next.loads)).toEqual(changed);
    expect(changed.size).toBeGreaterThan(4);
  });

  it("does not bring back an entry that was evicted, and invalidated afterwards", async () => {
    using folder = new SnapshotFolder();
    const { run, cacheme, nodes, User } = await saved(folder);
    await cacheme.invalidate(nodes[0]);
    expect(run.cacheme.peekLocal(new User(1, ["red"]))).toBeUndefined();
    await cacheme.get(nodes[0]);
    await cacheme.invalidate(nodes[0]);
    expect(await loadedAfterKill(folder)).toEqual(["1"]);
  });

  it("does not bring back a value that depends on a node that was invalidated before its class was used", async () => {
    using folder = new SnapshotFolder();
    const { cacheme } = await saved(folder);
    await cacheme.close();
    const run = await Run.begin(new VirtualClock(), folder.file);
    await run.cacheme.invalidateTags("blue");
    const User = run.userClass();
    await run.cacheme.getAll([new User(1, ["red"]), new User(2, ["red", "blue"])]);
    expect(run.loads).toEqual(["2"]);
  });
});

/** Saves users 1 to 3 as the last process did, and begins another one, which has used no class. */
async function restarted(folder: SnapshotFolder) {
  const { cacheme } = await saved(folder);
  await cacheme.close();
  const run = await Run.begin(new VirtualClock(), folder.file);
  return { run, cacheme: run.cacheme, User: run.userClass() };
}

type Restarted = Awaited<ReturnType<typeof restarted>>;

describe("a process that has not used the class yet", () => {
  const removals: readonly [string, (process: Restarted) => Promise<unknown>, readonly string[]][] = [
    ["invalidateMatching", ({ cacheme }) => cacheme.invalidateMatching("user:1*"), ["1"]],
    ["invalidateMatching of another class", ({ cacheme }) => cacheme.invalidateMatching("post:*"), []],
    ["invalidateAll", ({ cacheme, User }) => cacheme.invalidateAll(User), ["1", "2", "3"]],
    ["clear", ({ cacheme }) => cacheme.clear(), ["1", "2", "3"]],
    ["clear of the class", ({ cacheme, User }) => cacheme.clear(User), ["1", "2", "3"]],
    ["clear of the storage", ({ cacheme }) => cacheme.clear("local"), ["1", "2", "3"]],
    ["clear of all tiers", ({ cacheme }) => cacheme.clear({ remote: true }), ["1", "2", "3"]],
  ];

  it.each(removals)("removes its restored entries, too: %s", async (_, remove, expected) => {
    using folder = new SnapshotFolder();
    const process = await restarted(folder);
    await remove(process);
    const { cacheme, run, User } = process;
    const nodes = [new User(1, ["red"]), new User(2, ["red", "blue"]), new User(3)];
    await cacheme.getAll(nodes);
    expect(run.loads).toEqual(expected);
  });

  it.each(removals)(
    "does not leave them to the next process, if it is killed: %s",
    async (_, remove, expected) => {
      using folder = new SnapshotFolder();
      await remove(await restarted(folder));
      expect(await loadedAfterKill(folder)).toEqual(expected);
    },
  );

  it("counts them", async () => {
    using folder = new SnapshotFolder();
    const { cacheme } = await restarted(folder);
    expect(await cacheme.invalidateMatching("user:*")).toBe(3);
  });
});

describe("a process that invalidates before its storage has restored the entries", () => {
  it("does not restore values of the tags, and leaves them to no other process", async () => {
    using folder = new SnapshotFolder();
    const { cacheme } = await saved(folder);
    await cacheme.close();
    const run = new Run(new VirtualClock(), folder.file);
    await run.cacheme.invalidateTags("blue");
    await run.cacheme.registerStorage("local", run.local);
    const User = run.userClass();
    await run.cacheme.getAll([new User(1, ["red"]), new User(2, ["red", "blue"]), new User(3)]);
    expect(run.loads).toEqual(["2"]);
  });

  it("does not restore them if it invalidates them meanwhile", async () => {
    using folder = new SnapshotFolder();
    const { cacheme } = await saved(folder);
    await cacheme.close();
    const run = new Run(new VirtualClock(), folder.file);
    const registered = run.cacheme.registerStorage("local", run.local);
    await run.cacheme.invalidateTags("blue");
    await registered;
    expect(await loadedAfterKill(folder)).toEqual(["2"]);
    const User = run.userClass();
    await run.cacheme.getAll([new User(1, ["red"]), new User(2, ["red", "blue"]), new User(3)]);
    expect(run.loads).toEqual(["2"]);
  });

  it("does not restore values that depend on a node that it has invalidated", async () => {
    using folder = new SnapshotFolder();
    const program = async (act: (run: Run) => Promise<unknown>) => {
      const run = new Run(new VirtualClock(), folder.file);
      await run.cacheme.registerStorage("other", memory());
      const User = run.userClass({ caches: [{ storage: "other" }] });
      let loads = 0;
      const greeting = defineNode({
        name: "greeting",
        key: (id: number) => `${id}`,
        load: async (id, context) => {
          loads += 1;
          return `Hello ${(await context.get(new User(id))).name}`;
        },
        track: true,
        caches: [{ storage: "local" }],
      });
      await act(run);
      if (loads === 0) await run.cacheme.registerStorage("local", run.local);
      await run.cacheme.getAll([greeting(1), greeting(2)]);
      return { run, loads };
    };
    const first = await program(async () => {});
    expect(first.loads).toBe(2);
    await first.run.cacheme.close();
    const second = await program((run) => {
      const User = run.userClass({ caches: [{ storage: "other" }] });
      return run.cacheme.invalidate(new User(1));
    });
    expect(second.loads).toBe(2);
    await second.run.cacheme.close();
    expect((await program(async () => {})).loads).toBe(0);
  });
});
