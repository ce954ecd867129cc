import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { mongodb } from "../src/index.js";

describeWithServer("mongodb", "a program that does not close its storage", (server) => {
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

  it("is kept alive by a read until that is answered, and not longer", async () => {
    const storage = mongodb(server().url);
    await storage.writeMany([{ key: "program", bytes: Buffer.from("value"), ttl: undefined }]);
    await storage.close();
    const proxy = await server().proxy();
    proxy.latency(50);
    expect(await ran("reads", proxy.url)).toEqual(["value"]);
  });

  it("is not kept alive by a server that is not there", async () => {
    await server().kill();
    expect(await ran("isRefused", server().url)).toMatch(/^CACHEME_(CONNECT|STORAGE)_FAILED$/);
  });

  it("is not kept alive by a server that does not answer", async () => {
    await server().pause();
    expect(await ran("hangs", server().url)).toMatch(/^CACHEME_(CONNECT|STORAGE)_FAILED$/);
  });
});
