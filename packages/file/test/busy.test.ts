import fs from "node:fs";
import { record, text } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { whenFree } from "../src/busy.js";
import { connected, place } from "./place.js";

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: the file is in use`), { code });
}

/** A system on which pauses take no time, and how long they were. */
function system(platform: NodeJS.Platform) {
  const waited: number[] = [];
  return { waited, surroundings: { platform, wait: async (pause: number) => void waited.push(pause) } };
}

const always = async () => true;

describe("a file that another program has open on Windows", () => {
  it.each(["EPERM", "EBUSY", "EACCES"])("is renamed once it is free again: %s", async (code) => {
    const { waited, surroundings } = system("win32");
    const act = vi
      .fn(async () => "done")
      .mockRejectedValueOnce(failure(code))
      .mockRejectedValueOnce(failure(code));
    expect(await whenFree(act, always, surroundings)).toBe("done");
    expect(waited).toHaveLength(2);
  });

  it("is an error after some attempts, within half a second", async () => {
    const { waited, surroundings } = system("win32");
    const act = vi.fn().mockRejectedValue(failure("EBUSY"));
    await expect(whenFree(act, always, surroundings)).rejects.toMatchObject({ code: "EBUSY" });
    expect(act).toHaveBeenCalledTimes(waited.length + 1);
    expect(waited.reduce((sum, pause) => sum + pause, 0)).toBeLessThan(500);
  });

  it("is not waited for where it cannot become free", async () => {
    const { waited, surroundings } = system("win32");
    const act = vi.fn().mockRejectedValue(failure("EPERM"));
    await expect(whenFree(act, async () => false, surroundings)).rejects.toMatchObject({ code: "EPERM" });
    expect(waited).toEqual([]);
  });

  it("does not keep back errors of another kind, or of another system", async () => {
    for (const [platform, code] of [
      ["win32", "ENOENT"],
      ["linux", "EPERM"],
      ["darwin", "EBUSY"],
    ] as const) {
      const { waited, surroundings } = system(platform);
      const act = vi.fn().mockRejectedValue(failure(code));
      await expect(whenFree(act, always, surroundings)).rejects.toMatchObject({ code });
      expect(waited).toEqual([]);
    }
  });

  it("is written over, filled and removed by the storage all the same", async () => {
    const platform = process.platform;
    Object.defineProperty(process, "platform", { value: "win32" });
    onTestFinished(() => void Object.defineProperty(process, "platform", { value: platform }));
    const storage = await connected(place());
    await storage.writeMany([record("a", "before")]);
    const busyOnce = (name: "rename" | "unlink") => {
      const spy = vi.spyOn(fs, name);
      spy.mockImplementationOnce(((...given: unknown[]) =>
        (given.at(-1) as (error: Error) => void)(failure("EPERM"))) as never);
      onTestFinished(() => spy.mockRestore());
      return spy;
    };
    busyOnce("rename");
    await storage.writeMany([record("a", "A")]);
    expect(await text(storage, "a")).toBe("A");
    busyOnce("rename");
    const [answer] = await storage.leases!.acquire([{ key: "b", duration: 60_000 }]);
    if (answer?.outcome !== "granted") throw new Error("the lease was to be had");
    busyOnce("rename");
    expect(await storage.leases!.fill([{ ...record("b", "B"), token: answer.token }])).toEqual([true]);
    busyOnce("unlink");
    expect(await storage.removeMany(["a"])).toBe(1);
    expect(await text(storage, "a")).toBeUndefined();
  });
});
