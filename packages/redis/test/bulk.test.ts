import { randomUUID } from "node:crypto";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { LeaseAnswer, RemoteStorage } from "cacheme";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BulkCommands } from "../src/bulk.js";
import type { Attempt, Client } from "../src/client.js";
import type { KeyCommand } from "../src/commands.js";
import { redis } from "../src/index.js";
import { acquire } from "../src/scripts.js";

const minute = 60_000;
const tokenOf = (answer: LeaseAnswer | undefined) => (answer?.outcome === "granted" ? answer.token : "");

describeWithServer("redis", "bulk calls", (server) => {
  let storage: RemoteStorage;
  let observer: Redis;
  beforeAll(async () => {
    storage = redis(server().url);
    observer = new Redis(server().url);
    await storage.connect();
  });
  afterAll(async () => {
    await storage.close();
    observer.disconnect();
  });
  const keys = (count: number) => Array.from({ length: count }, () => randomUUID());
  const read = async (wanted: readonly string[]) =>
    (await storage.readMany(wanted)).map((bytes) => bytes && Buffer.from(bytes).toString());

  it("answer as single calls do, whatever is stored under a key", async () => {
    for (const isBulk of [false, true]) {
      const names = ["absent", "held", "fresh", "seen", "stolen", "stale", "foreign", "list"] as const;
      const all = keys(names.length);
      const keyOf = (name: (typeof names)[number]) => all[names.indexOf(name)] ?? "";
      const fresh = (name: (typeof names)[number]) => ({
        key: keyOf(name),
        bytes: Buffer.from(name),
        ttl: minute,
      });
      await storage.writeMany([
        fresh("fresh"),
        fresh("seen"),
        fresh("stolen"),
        { ...fresh("stale"), freshFor: 0 },
      ]);
      await storage.leases!.acquire([{ key: keyOf("held"), duration: minute }]);
      await observer.set(keyOf("foreign"), "another program's value, of no layout of ours");
      await observer.rpush(keyOf("list"), "an item");
      const answers = await storage.leases!.acquire(
        all.map((key) => ({
          key,
          duration: minute,
          steal: key === keyOf("stolen"),
          seen: key === keyOf("seen") ? Buffer.from("seen") : undefined,
        })),
        isBulk,
      );
      expect(answers.map(({ outcome }) => outcome)).toEqual([
        "granted",
        "held",
        "fresh",
        "granted",
        "granted",
        "granted",
        "granted",
        "granted",
      ]);
      expect(answers[2]).toMatchObject({ bytes: Buffer.from("fresh") });
      const stored = await storage.leases!.fill(
        all.map((key, index) => ({
          key,
          bytes: Buffer.from(`new ${index}`),
          ttl: index % 2 === 0 ? minute : undefined,
          token: tokenOf(answers[index]) || "0".repeat(32),
        })),
        isBulk,
      );
      expect(stored).toEqual([true, false, false, true, true, true, true, true]);
      expect(await read(all)).toEqual([
        "new 0",
        undefined,
        "fresh",
        "new 3",
        "new 4",
        "new 5",
        "new 6",
        "new 7",
      ]);
      expect(await observer.pttl(all[0] ?? "")).toBeGreaterThan(minute / 2);
      expect(await observer.pttl(all[3] ?? "")).toBe(-1);
    }
  });

  it("refuse a fill after a removal, and one with another token", async () => {
    const all = keys(3);
    const answers = await storage.leases!.acquire(
      all.map((key) => ({ key, duration: minute })),
      true,
    );
    await storage.removeMany([all[0] ?? ""]);
    await storage.leases!.acquire([{ key: all[1] ?? "", duration: minute, steal: true }]);
    const records = all.map((key, index) => {
      return { key, bytes: Buffer.from("value"), ttl: minute, token: tokenOf(answers[index]) };
    });
    expect(await storage.leases!.fill(records, true)).toEqual([false, false, true]);
    // A token is used up by its fill.
    expect(await storage.leases!.fill(records, true)).toEqual([false, false, false]);
    expect(await read(all)).toEqual([undefined, undefined, "value"]);
  });

  it("keep the order of many keys, and draw a token for each", async () => {
    const all = keys(1_234);
    const answers = await storage.leases!.acquire(
      all.map((key) => ({ key, duration: minute })),
      true,
    );
    expect(new Set(answers.map(tokenOf)).size).toBe(all.length);
    const records = all.map((key, index) => {
      const bytes = Buffer.from("x".repeat(index));
      return { key, bytes, ttl: minute + index, token: tokenOf(answers[index]) };
    });
    expect(await storage.leases!.fill(records, true)).toEqual(all.map(() => true));
    expect((await read(all)).map((text) => text?.length)).toEqual(all.map((_, index) => index));
  });

  it("make records that become stale, of every kind", async () => {
    const all = keys(3);
    const answers = await storage.leases!.acquire(
      all.map((key) => ({ key, duration: minute })),
      true,
    );
    const times = [
      { ttl: minute, freshFor: 0 },
      { ttl: undefined, freshFor: 0 },
      { ttl: minute, freshFor: minute },
    ] as const;
    const records = all.map((key, index) => {
      return {
        key,
        bytes: Buffer.from("value"),
        token: tokenOf(answers[index]),
        ttl: undefined,
        ...times[index],
      };
    });
    expect(await storage.leases!.fill(records, true)).toEqual([true, true, true]);
    const again = await storage.leases!.acquire(all.map((key) => ({ key, duration: minute })));
    expect(again.map(({ outcome }) => outcome)).toEqual(["granted", "granted", "fresh"]);
  });
});

describe("bulk commands", () => {
  const commands = Array.from(
    { length: 150 },
    (_, index): KeyCommand => ({ run: acquire, key: `key${index}`, args: [Buffer.alloc(16), 1, "0"] }),
  );

  it("are sent one by one to a server that looks alone and refuses keys of several slots", async () => {
    const sent: number[] = [];
    const client = {
      takesManyKeys: true,
      each: async (given: readonly KeyCommand[]) => {
        sent.push(given.length);
        return given.map(({ key, more = [] }) =>
          more.length > 0
            ? [new Error("CROSSSLOT Keys in request don't hash to the same slot"), null]
            : [null, key],
        );
      },
    } as unknown as Client;
    const bulk = new BulkCommands();
    const each = () => bulk.each(commands, {} as Attempt, client);
    expect((await each()).map(([, answer]) => answer)).toEqual(commands.map(({ key }) => key));
    expect(sent).toEqual([2, 100, 50]);
    await each();
    expect(sent).toEqual([2, 100, 50, 150]);
  });

  it("are sent one by one to a Cluster", async () => {
    const client = {
      takesManyKeys: false,
      each: async (given: readonly KeyCommand[]) => given.map(({ key }) => [null, key]),
    } as unknown as Client;
    const outcomes = await new BulkCommands().each(commands, {} as Attempt, client);
    expect(outcomes.map(([, answer]) => answer)).toEqual(commands.map(({ key }) => key));
  });
});
