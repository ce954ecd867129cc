import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

describeWithServer("redis", "a program that does not close its storage", (server) => {
  const programs: ChildProcess[] = [];
  // They are loaded before the tests and side by side: that takes longer than the tests.
  beforeAll(async () => {
    const path = fileURLToPath(new URL("program.mjs", import.meta.url));
    for (let count = 0; count < 4; count++) programs.push(fork(path, { execArgv: [] }));
    await Promise.all(programs.map((program) => once(program, "message")));
  });
  afterAll(() => {
    for (const program of programs) program.kill("SIGKILL");
  });
  afterEach(() => server().restart());

  /** What the program found out, once it has ended by itself; the test's own time limit ends the wait. */
  async function ran(scenario: string, url: string): Promise<unknown> {
    const program = programs.find(({ connected }) => connected);
    if (program === undefined) throw new Error("There are fewer programs than tests.");
    program.send([scenario, url]);
    const [[message], [code]] = await Promise.all([once(program, "message"), once(program, "exit")]);
    expect(code).toBe(0);
    return message;
  }

  it("is kept alive by a read until that is answered, and not longer", async () => {
    const client = new Redis(server().url);
    await client.set("program", "value");
    client.disconnect();
    const proxy = await server().proxy();
    proxy.latency(50);
    expect(await ran("reads", proxy.url)).toEqual(["value"]);
  });

  it("is not kept alive by a connection that is being made", async () => {
    await server().pause();
    expect(await ran("connectsLazily", server().url)).toBe("ok");
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
