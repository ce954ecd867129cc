import { randomUUID } from "node:crypto";
import { describeWithService } from "@cacheme/test-services/vitest";
import { Cacheme, defineNode, type LoadContext, memory } from "cacheme";
import { expect, it } from "vitest";
import { redis } from "../src/index.js";

describeWithService("redis", "tags on Redis", (service) => {
  /** Makes the parts of a program that no other test shares. */
  async function program() {
    const prefix = randomUUID();
    let loads = 0;
    const member = defineNode({
      name: "member",
      key: ({ id }: { team: number; id: number }) => `${id}`,
      tags: ({ team }) => [`team:${team}`, "members"],
      load: ({ id }) => `member ${id}, load ${++loads}`,
      caches: [{ storage: "redis", ttl: "1m" }],
    });
    const made: Cacheme[] = [];
    const process = async (url = service().url) => {
      const cacheme = new Cacheme({ prefix });
      made.push(cacheme);
      await cacheme.registerStorage("local", memory());
      await cacheme.registerStorage("redis", redis(url), {
        deadline: false,
        needs: ["generations", "leases"],
      });
      return cacheme;
    };
    const close = () => Promise.all(made.map((cacheme) => cacheme.close()));
    return { member, process, close, loaded: () => loads };
  }

  it("reads entries and generations in one round trip, and invalidates both processes' entries", async () => {
    const { member, process, close, loaded } = await program();
    const proxy = await service().proxy();
    const [one, other] = [await process(), await process(proxy.url)];
    const nodes = Array.from({ length: 50 }, (_, id) => member({ team: id % 2, id }));
    const before = await one.getAll(nodes);
    await other.get(member({ team: 0, id: 0 })); // It has read the server's clock now.

    proxy.latency(5);
    proxy.resetCounts();
    expect(await other.getAll(nodes)).toEqual(before);
    expect(proxy.counts.roundTrips).toBe(1);

    proxy.resetCounts();
    await other.invalidateTags("team:1");
    expect(proxy.counts.roundTrips).toBe(1);
    const after = await one.getAll(nodes);
    expect(after.map((value, id) => value === before[id])).toEqual(nodes.map((_, id) => id % 2 === 0));
    expect(loaded()).toBe(75);
    await close();
  });

  it("stores nothing valid of a load that another process's invalidation has overtaken", async () => {
    const { member, process, close } = await program();
    const [one, other] = [await process(), await process()];
    const node = member({ team: 7, id: 1 });
    await one.get(node);
    await one.invalidate(node);
    const load = async () => {
      await other.invalidateTags("team:7");
      return "old";
    };
    expect(await one.get(node, { load })).toBe("old");
    expect(await one.peek(node)).toBeUndefined();
    expect(await one.get(node)).toBe("member 1, load 2");
    expect(await other.get(node)).toBe("member 1, load 2");
    await close();
  });

  it("invalidates tags that only values tell, scopes and dependencies", async () => {
    const { process, close } = await program();
    const [one, other] = [await process(), await process()];
    for (const cacheme of [one, other]) cacheme.defineScopes("org", "user");
    let version = 1;
    const cart = defineNode({
      name: "cart",
      key: () => "cart",
      scopedTo: "user",
      load: (_: undefined, { tag }: LoadContext) => {
        tag(`version:${version}`);
        return version;
      },
      caches: [{ storage: "redis", ttl: "1m" }],
    });
    const page = defineNode({
      name: "page",
      key: () => "page",
      scope: () => ({ org: 1, user: 1 }),
      dependsOn: () => [cart()],
      load: async (_: undefined, { get }: LoadContext) => `page of ${await get(cart())}`,
      caches: [{ storage: "redis", ttl: "1m" }],
    });
    const inScope = <T>(cacheme: Cacheme, body: () => Promise<T>) =>
      cacheme.withScope({ org: 1, user: 1 }, body);
    const read = (cacheme: Cacheme) => inScope(cacheme, () => cacheme.getAll([cart(), page()]));
    /** The first load of a new tag is not stored. */
    const settle = async () => {
      await read(one);
      await new Promise((resolve) => setTimeout(resolve, 5));
      await read(one);
    };

    await settle();
    expect(await read(other)).toEqual([1, "page of 1"]);
    version = 2;
    expect(await read(one)).toEqual([1, "page of 1"]);
    await inScope(other, () => other.invalidate(cart()));
    await settle();
    expect(await read(one)).toEqual([2, "page of 2"]);
    version = 3;
    await other.invalidateScope({ org: 2 });
    expect(await read(one)).toEqual([2, "page of 2"]);
    await other.invalidateScope({ org: 1 });
    await settle();
    expect(await read(one)).toEqual([3, "page of 3"]);
    version = 4;
    await other.invalidateTags("version:3");
    expect((await read(one))[0]).toBe(4);
    await close();
  });

  it("removes entries by pattern, and counts them", async () => {
    const { member, process, close, loaded } = await program();
    const [one, other] = [await process(), await process()];
    const nodes = Array.from({ length: 1_200 }, (_, id) => member({ team: 1, id }));
    await one.getAll(nodes);
    expect(await other.invalidateMatching("member:11*")).toBe(1 + 10 + 100);
    expect(await other.invalidateMatching("nobody:*")).toBe(0);
    await one.getAll(nodes);
    expect(loaded()).toBe(1_200 + 111);
    const progress: number[] = [];
    expect(await other.invalidateAll(member, { onProgress: (removed) => progress.push(removed) })).toBe(
      1_200,
    );
    expect(progress.at(-1)).toBe(1_200);
    await one.get(member({ team: 1, id: 1 }));
    expect(await one.clear({ remote: true })).toBe(1);
    await close();
  });
});
