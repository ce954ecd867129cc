import {
  bundleProgram,
  type Program,
  type Server,
  startRedisCluster,
  startRedisSentinel,
} from "@cacheme/test-services";
import { describeColdReaders } from "@cacheme/test-services/cold-tests";
import { describeIdlePrograms, ranIdle } from "@cacheme/test-services/idle-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

const source = new URL("program.ts", import.meta.url);

/** Servers that work together: the storage asks some for the addresses of the others. */
interface Several {
  readonly url: string;
  readonly asked: readonly Server[];
  stop(): Promise<void>;
}

describeWithServer("redis", "the storage in a process of its own", (server) => {
  describeColdReaders(() => server().url, source);
  describeIdlePrograms(server, source);

  it("answers under fake timers that were installed after it had connected", async () => {
    const program = await bundleProgram(source);
    onTestFinished(() => program.remove());
    expect(await ranIdle(program, "readsWithCopiedProcess", server().url)).toBe("done");
  });

  describe.each<[string, () => Promise<Several>]>([
    [
      "a Cluster",
      async () => {
        const { url, nodes, stop } = await startRedisCluster();
        return { url, asked: nodes, stop };
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
    let program: Program;
    let several: Several;
    beforeAll(async () => {
      [program, several] = await Promise.all([bundleProgram(source), start()]);
    });
    afterAll(async () => {
      program?.remove();
      await several?.stop();
    });

    describeColdReaders(() => several.url, source);

    it("is kept alive by a read until the answer, and no longer", async () => {
      expect(await ranIdle(program, "reads", several.url)).toEqual(["value"]);
    });

    it("is not kept alive by servers that do not answer", async () => {
      await Promise.all(several.asked.map((one) => one.pause()));
      expect(await ranIdle(program, "connectsLazily", several.url)).toBe("done");
      expect(await ranIdle(program, "hangs", several.url)).toBe("CACHEME_STORAGE_FAILED");
    });
  });
});
