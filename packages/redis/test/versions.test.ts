import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { bundledProgram } from "@cacheme/test-services/bundled-program";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { expect, it, onTestFinished } from "vitest";
import type { VersionCall } from "./versions.program.js";

describeWithServer("redis", "programs of two versions in two processes", (server) => {
  const program = bundledProgram(new URL("versions.program.ts", import.meta.url));

  /** Starts the program of a version. */
  async function started(version: number) {
    const child = fork(program().path, [server().url, String(version)]);
    onTestFinished(() => {
      child.kill();
    });
    await once(child, "message");
    return async (name: VersionCall["name"], id: string): Promise<unknown> => {
      child.send({ name, id } satisfies VersionCall);
      const [{ answer }] = (await once(child, "message")) as [{ answer: unknown }];
      return answer;
    };
  }

  // Each test starts two processes, which take their time on a busy machine.
  it("share an entry, and each removes it for both", { timeout: 20_000 }, async () => {
    const [older, later, id] = [await started(1), await started(2), randomUUID()];
    expect(await older("get", id)).toBe("Ada");
    expect(await later("get", id)).toEqual({ name: "Ada", migrated: true });
    expect(await later("loads", id)).toBe(0);

    for (const [by, other] of [
      [older, later],
      [later, older],
    ] as const) {
      await by("get", id);
      await other("get", id);
      await by("invalidate", id);
      await until(async () => (await other("local", id)) === false);
      const before = (await other("loads", id)) as number;
      await other("get", id);
      expect(await other("loads", id)).toBe(before + 1);
    }
  });

  it("let the older one go on beside entries of the later one", { timeout: 20_000 }, async () => {
    const [older, later, id] = [await started(1), await started(2), randomUUID()];
    expect(await later("get", id)).toEqual({ name: "Ada" });
    expect(await older("get", id)).toBe("Ada");
    expect(await older("loads", id)).toBe(1);
    const fresh = await started(2);
    expect(await fresh("get", id)).toEqual({ name: "Ada", migrated: true });
    expect(await fresh("loads", id)).toBe(0);
  });
});
