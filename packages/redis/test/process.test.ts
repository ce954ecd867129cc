import { execFile } from "node:child_process";
import { promisify } from "node:util";
import {
  bundleProgram,
  type Program,
  type Server,
  startRedisCluster,
  startRedisSentinel,
} from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { redis } from "../src/index.js";

describeWithServer("redis", "a program that does not close its storage", (server) => {
  let program: Program;
  beforeAll(async () => {
    program = await bundleProgram(new URL("program.ts", import.meta.url));
  });
  afterAll(() => program.remove());
  afterEach(() => server().restart());

  /** What the program found out, once it has ended by itself; one that does not is ended, which fails the test. */
  async function ran(scenario: string, url: string): Promise<unknown> {
    const words = [program.path, scenario, url];
    const { stdout } = await promisify(execFile)(process.execPath, words, {
      timeout: 4000,
      killSignal: "SIGKILL",
    });
    return JSON.parse(stdout);
  }

  it("is kept alive by a read until that is answered, and not longer", async () => {
    const storage = redis(server().url);
    await storage.writeMany([{ key: "program", bytes: Buffer.from("value"), ttl: undefined }]);
    await storage.close();
    const proxy = await server().proxy();
    proxy.latency(50);
    expect(await ran("reads", proxy.url)).toEqual(["value"]);
  });

  it("is not kept alive by a connection that is being made", async () => {
    await server().pause();
    expect(await ran("connectsLazily", server().url)).toBe("done");
  });

  it("is not kept alive by a server that is not there", async () => {
    await server().kill();
    expect(await ran("isRefused", server().url)).toBe("CACHEME_CONNECT_FAILED");
  });

  it("is not kept alive by a server that does not answer", async () => {
    await server().pause();
    expect(await ran("hangs", server().url)).toBe("CACHEME_STORAGE_FAILED");
  });

  describe.each<[string, () => Promise<Several>]>([
    [
      "a Cluster",
      async () => {
        const { url, nodes, stop } = await startRedisCluster();
        return { url: url.replace("redis:", "redis+cluster:"), asked: nodes, stop };
      },
    ],
    [
      "sentinels",
      async () => {
        const { url, sentinels, stop } = await startRedisSentinel();
        return { url, asked: sentinels, stop };
      },
    ],
  ])("with connections to %s", (_, start) => {
    let several: Several;
    beforeAll(async () => {
      several = await start();
    });
    afterAll(() => several?.stop());

    it("is kept alive by a read until that is answered, and not longer", async () => {
      const storage = redis(several.url);
      await storage.writeMany([{ key: "program", bytes: Buffer.from("value"), ttl: undefined }]);
      await storage.close();
      expect(await ran("reads", several.url)).toEqual(["value"]);
    });

    it("is not kept alive by servers that do not answer", async () => {
      await Promise.all(several.asked.map((one) => one.pause()));
      expect(await ran("connectsLazily", several.url)).toBe("done");
      expect(await ran("hangs", several.url)).toBe("CACHEME_STORAGE_FAILED");
    });
  });
});

/** Servers that are there together, of which some are asked where the others are. */
interface Several {
  readonly url: string;
  readonly asked: readonly Server[];
  stop(): Promise<void>;
}
