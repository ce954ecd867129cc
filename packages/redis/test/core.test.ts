import { randomUUID } from "node:crypto";
import { describeWithService } from "@cacheme/test-services/vitest";
import { Cacheme, defineNode, memory } from "cacheme";
import { expect, it } from "vitest";
import { redis } from "../src/index.js";

describeWithService("redis", "the storage under Cacheme", (service) => {
  it("gives a second process the values that the first one loaded, in one round trip, until they are invalidated", async () => {
    const space = randomUUID();
    let loads = 0;
    const item = defineNode({
      name: `item-${space}`,
      caches: ["local", "redis"].map((storage) => ({ storage, ttl: "1m" as const })),
      key: (id: number) => `${id}`,
      load: (id) => {
        loads++;
        return { id, made: new Date(0) };
      },
    });
    const processOn = async (url: string) => {
      const cacheme = new Cacheme();
      await cacheme.registerStorage("local", memory());
      await cacheme.registerStorage("redis", redis(url), { deadline: false });
      return cacheme;
    };
    const proxy = await service().proxy();
    const [one, other] = await Promise.all([processOn(service().url), processOn(proxy.url)]);
    const nodes = Array.from({ length: 20 }, (_, id) => item(id));
    const loaded = await one.getAll(nodes);
    expect(loads).toBe(20);

    proxy.latency(5);
    proxy.resetCounts();
    expect(await Promise.all(nodes.map((node) => other.get(node)))).toEqual(loaded);
    expect(loads).toBe(20);
    expect(proxy.counts.roundTrips).toBe(1);

    await one.invalidate(...nodes);
    const third = await processOn(service().url);
    await third.get(item(7));
    expect(loads).toBe(21);
    await third.invalidate(...nodes);
    await Promise.all([one.close(), other.close(), third.close()]);
  });
});
