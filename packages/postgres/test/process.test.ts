import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

describeWithServer("postgres", "a program that does not close its storage", (server) => {
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
      timeout: 8000,
      killSignal: "SIGKILL",
    });
    return JSON.parse(stdout);
  }

  it("is kept alive by a call until that is answered, and not longer", async () => {
    const proxy = await server().proxy();
    proxy.latency(20);
    expect(await ran("reads", proxy.url)).toEqual(["value"]);
  });

  it("ends after it has closed its storage, too", async () => {
    expect(await ran("readsAndCloses", server().url)).toBe("done");
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
});
