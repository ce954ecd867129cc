import { randomUUID } from "node:crypto";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Cacheme, defineNode } from "cacheme";
import { expect, it } from "vitest";
import { memcached } from "../src/index.js";

describeWithServer("memcached", "removals by pattern on memcached", (server) => {
  it("replace the generation of the class, because memcached cannot list its keys", async () => {
    const prefix = `t${randomUUID().slice(0, 8)}`;
    const process = async () => {
      const cacheme = new Cacheme({ prefix });
      await cacheme.registerStorage("memcached", memcached(server().url), { deadline: false });
      return cacheme;
    };
    const [one, other] = [await process(), await process()];
    let loads = 0;
    const make = (name: string) =>
      defineNode({
        name,
        key: (id: number) => `${id}`,
        load: () => ++loads,
        caches: [{ storage: "memcached", ttl: "1m" }],
      });
    const [user, post] = [make("user"), make("post")];
    const before = await one.getAll([user(1), user(2), post(1)]);
    expect(await other.getAll([user(1), user(2), post(1)])).toEqual(before);
    await other.invalidateAll(user);
    const after = await one.getAll([user(1), user(2), post(1)]);
    expect(after.map((value, place) => value === before[place])).toEqual([false, false, true]);
    await one.invalidateMatching("po*");
    expect(await other.peek(post(1))).toBeUndefined();
    await Promise.all([one.close(), other.close()]);
  });
});
