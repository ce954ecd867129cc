import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { Cacheme, memory, type NodeMeta } from "../src/index.js";
import { reason } from "./support/reason.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { NumberedNode } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

const tenant = new AsyncLocalStorage<string>();
const tenants = new Set<string | undefined>();
let failing: number | undefined;

class Numbered extends NumberedNode<string> {
  static override meta: NodeMeta = {
    name: "numbered",
    caches: [
      { storage: "local", ttl: "1h" },
      { storage: "remote", ttl: "1h" },
    ],
  };
  override async load() {
    tenants.add(tenant.getStore());
    if (this.id === failing) throw new Error("no such number");
    return `value ${this.id}`;
  }
}

async function space() {
  const clock = new VirtualClock();
  const remote = new SimulatedRemote(clock);
  const cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory({ maxSize: 100_000 }));
  await cacheme.registerStorage("remote", remote);
  return { cacheme, remote };
}

const numbered = (count: number) => Array.from({ length: count }, (_, id) => new Numbered(id));

describe("a list of more nodes than one turn reads", () => {
  it("is answered in its order, with duplicates, by a load for each key", async () => {
    const { cacheme } = await space();
    const nodes = [...numbered(5_500), ...numbered(5_500)];

    const values = await cacheme.getAll(nodes);

    expect(values.join()).toBe(nodes.map(({ id }) => `value ${id}`).join());
    expect(cacheme.stats(Numbered).loadSuccessCount).toBe(5_500);
  });

  it("lets other work of the event loop run in between", async () => {
    const { cacheme } = await space();
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns += 1;
      if (!isDone) setImmediate(turn);
    };

    const values = cacheme.getAll(numbered(15_500)).finally(() => {
      isDone = true;
    });
    setImmediate(turn);
    await values;

    expect(turns).toBeGreaterThanOrEqual(2);
  });

  it("is read as it was when it was given", async () => {
    const { cacheme } = await space();
    const nodes = numbered(5_500);

    const values = cacheme.getAll(nodes);
    nodes.length = 0;

    expect((await values).length).toBe(5_500);
  });

  it("loads in the async context of its caller", async () => {
    const { cacheme } = await space();
    tenants.clear();

    await tenant.run("one", () => cacheme.getAll(numbered(5_500)));

    expect([...tenants]).toEqual(["one"]);
  });

  it("rejects with a failure of a later turn, and stores the others", async () => {
    const { cacheme } = await space();
    failing = 5_200;

    expect(await reason(cacheme.getAll(numbered(5_500)))).toMatchObject({ message: "no such number" });
    const outcomes = await cacheme.getAllSettled(numbered(5_500));

    expect(outcomes.filter(({ status }) => status === "rejected").length).toBe(1);
    expect(cacheme.stats(Numbered).loadSuccessCount).toBe(5_499);
  });
});
