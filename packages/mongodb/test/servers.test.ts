import { cleanup } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { type Collection, type Db, MongoClient } from "mongodb";
import { describe, expect, it } from "vitest";
import { mongodb } from "../src/index.js";
import { ofVersion, serverName } from "../src/trouble.js";

type Refuse = (method: string) => Error | undefined;

describeWithServer("mongodb", "a server that cannot be worked with", (server) => {
  const { closing } = cleanup();
  const storage = (...given: Parameters<typeof mongodb>) => closing(mongodb(...given));

  /** Makes calls on the real database fail like those of a server with its errors. */
  function refusing(name: string, refuse: Refuse): Parameters<typeof mongodb>[0] {
    const db: Db = closing(new MongoClient(server().url)).db("test");
    const collection: Collection = db.collection(name);
    const altered = new Proxy(collection, {
      get(target, method) {
        const value: unknown = Reflect.get(target, method);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          const error = refuse(String(method));
          return error === undefined ? value.apply(target, given) : Promise.reject(error);
        };
      },
    });
    return {
      databaseName: "test",
      collection: () => altered,
      command: (command, options) => db.command(command, options),
    };
  }

  const refusal = (message: string, code: number) =>
    Object.assign(new Error(message), { name: "MongoServerError", code });

  it("differs from a server that is not reached", async () => {
    const nowhere = storage("mongodb://127.0.0.1:1/test", { connectTimeout: "5s" });
    await expect(nowhere.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringContaining("cannot be reached: connect ECONNREFUSED"),
    });
  });

  it("is refused by each call, with the call that fails, the found server and the needed one", async () => {
    const words = "Invalid $set :: caused by :: $currentDate is not implemented";
    const broken = refusing("broken", (method) => (method === "bulkWrite" ? refusal(words, 238) : undefined));
    const one = storage(broken);
    for (const call of [() => one.connect(), () => one.readMany(["a"])]) {
      await expect(call()).rejects.toMatchObject({
        code: "CACHEME_UNSUPPORTED_SERVER",
        message: expect.stringMatching(
          /found MongoDB .*, where a write failed: Invalid \$set.*needs MongoDB 4\.2 or newer/,
        ),
      });
    }
  });

  it("is refused with advice if the user lacks a right, or it is not a primary", async () => {
    for (const [error, remedy] of [
      [refusal("not authorized on test to execute command", 13), "Grant the user"],
      [refusal("not primary", 10_107), "Give the address of the primary"],
    ] as const) {
      const one = storage(refusing("guarded", (method) => (method === "bulkWrite" ? error : undefined)));
      await expect(one.connect()).rejects.toMatchObject({
        code: "CACHEME_CONNECT_REFUSED",
        message: expect.stringContaining(remedy),
      });
    }
  });

  it("accepts connections while it is full, and still invalidates tags by removing their generations", async () => {
    let error: Error | undefined;
    const writes = ["bulkWrite", "findOneAndUpdate"];
    const one = storage(refusing("crowded", (method) => (writes.includes(method) ? error : undefined)));
    const ensure = async () => (await one.generations?.ensure(["tag"], 60_000))?.[0];
    for (const [message, code] of [
      ["out of disk space", 14_031],
      ["you are over your space quota, using 513 MB of 512 MB", 8000],
    ] as const) {
      error = undefined;
      const before = await ensure();
      error = refusal(message, code);
      await expect(ensure()).rejects.toThrow(message);
      const [bumped] = (await one.generations?.bump(["tag"], 60_000)) ?? [];
      expect(bumped?.id).not.toBe(before?.id);
      expect(bumped?.at).toBeGreaterThanOrEqual(before?.at ?? 0);
      expect(await one.readMany(["tag"])).toEqual([undefined]);
    }
    await storage(refusing("crowded", (method) => (writes.includes(method) ? error : undefined))).connect();
  });
});

describe("a server of MongoDB's protocol", () => {
  it.each([
    [{ version: "7.0.14" }, "MongoDB 7.0.14"],
    [{ version: "7.0.42", ferretdbVersion: "v1.24.0" }, "FerretDB v1.24.0 (like MongoDB 7.0.42)"],
    [{ version: "7.0.42", ferretdb: { version: "v1.24.0" } }, "FerretDB v1.24.0 (like MongoDB 7.0.42)"],
  ])("is named from %j", (build, name) => {
    expect(serverName(build)).toBe(name);
  });

  it("is unsupported if the package mongodb says so", () => {
    const inside = Object.assign(new Error("reports maximum wire version 6, but"), {
      name: "MongoCompatibilityError",
    });
    const error = new Error("selection", { cause: inside });
    expect(ofVersion("mongodb://here", error)).toMatchObject({
      code: "CACHEME_UNSUPPORTED_SERVER",
      message: expect.stringContaining("maximum wire version 6"),
    });
  });
});
