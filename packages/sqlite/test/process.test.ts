import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { connected, handle, place, text } from "./place.js";

let program: Program;
beforeAll(async () => {
  program = await bundleProgram(new URL("program.ts", import.meta.url));
});
afterAll(() => program.remove());

/** A process of the program, and what it says line by line. */
class Run {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(scenario: string, file: string, options: SpawnOptions = {}) {
    // The program stands in another folder, from where the library would not be found.
    const NODE_PATH = fileURLToPath(new URL("../node_modules", import.meta.url));
    this.process = spawn(process.execPath, ["--no-warnings", program.path, scenario, file], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, NODE_PATH },
      ...options,
    });
    onTestFinished(() => void this.process.kill("SIGKILL"));
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  async said(): Promise<unknown> {
    const { value } = await this.#lines.next();
    return value === undefined ? undefined : JSON.parse(value);
  }

  async ended(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
  }
}

describe("a program that does not close its storage", () => {
  it("ends by itself, and what it wrote is there", async () => {
    const file = place();
    const run = new Run("writes", file);
    expect(await run.said()).toBe("written");
    await run.ended();
    expect(run.process.exitCode).toBe(0);
    expect(await text(await connected(file), "program")).toBe("value");
  });
});

describe("eight processes", () => {
  it("give each lease to one of them, and make each generation once", { timeout: 60_000 }, async () => {
    const file = place();
    const runs = Array.from({ length: 8 }, () => new Run("races", file));
    for (const run of runs) expect(await run.said()).toBe("ready");
    for (const run of runs) run.process.stdin?.end("go\n");
    const answers = (await Promise.all(runs.map((run) => run.said()))) as { won: string[]; ids: string[] }[];
    const won = answers.flatMap((answer) => answer.won);
    expect(won.toSorted()).toEqual(Array.from({ length: 100 }, (_, index) => `lease:${index}`).toSorted());
    for (const { ids } of answers) expect(ids).toEqual(answers[0]?.ids);
  });

  it("hold a lease one after the other", { timeout: 60_000 }, async () => {
    const file = place();
    const runs = Array.from({ length: 8 }, () => new Run("counts", file));
    for (const run of runs) expect(await run.said()).toBe("counted");
    expect(await text(await connected(file), "count")).toBe("200");
  });
});

describe("processes that are killed while they write", () => {
  it("leave a sound file, and no half of a record", { timeout: 60_000 }, async () => {
    const file = place();
    for (let round = 0; round < 5; round++) {
      const runs = [new Run("writesForEver", file), new Run("writesForEver", file)];
      for (const run of runs) expect(await run.said()).toBe("ready");
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));
      for (const run of runs) run.process.kill("SIGKILL");
      for (const run of runs) await run.ended();
      expect(
        handle(file).prepare("SELECT integrity_check AS value FROM pragma_integrity_check()").values(),
      ).toEqual(["ok"]);
      const storage = await connected(file);
      const found = await storage.readMany(Array.from({ length: 50 }, (_, index) => `${index}`));
      for (const bytes of found) {
        expect(bytes?.length).toBe(3000);
        expect(new Set(bytes).size).toBe(1);
      }
    }
  });
});

describe("what a process may not do", () => {
  it("is told where it may not write the folder", async () => {
    const file = place();
    chmodSync(dirname(file), 0o555);
    onTestFinished(() => chmodSync(dirname(file), 0o755));
    const run = new Run("writesWithoutRights", file);
    expect(await run.said()).toEqual([
      "CACHEME_CONNECT_FAILED",
      expect.stringContaining("may be written by this user"),
    ]);
  });

  it("is told which library to install where there is none", async () => {
    const run = new Run("needsLibrary", place(), { env: {} });
    expect(await run.said()).toEqual([
      "CACHEME_CONNECT_FAILED",
      expect.stringContaining("npm install better-sqlite3"),
    ]);
  });

  it("is told which library to install where Node 20 has version 13, which would end the process", async () => {
    const modules = dirname(place());
    const library = join(modules, "better-sqlite3");
    mkdirSync(library);
    writeFileSync(join(library, "package.json"), JSON.stringify({ version: "13.2.0", main: "index.js" }));
    writeFileSync(join(library, "index.js"), "console.log(JSON.stringify('loaded')); process.exit();");
    const run = new Run("needsLibrary", place(), { env: { NODE_PATH: modules } });
    const words = /better-sqlite3 13\.2\.0 needs Node 22, .*npm install better-sqlite3@12/;
    const isOldNode = Number.parseInt(process.versions.node, 10) < 22;
    expect(await run.said()).toEqual(
      isOldNode ? ["CACHEME_CONNECT_FAILED", expect.stringMatching(words)] : "loaded",
    );
  });

  it("is told where the file may be read only", async () => {
    const file = place();
    const storage = await connected(file);
    await storage.close();
    writeFileSync(`${file}-lock`, "");
    chmodSync(`${file}-lock`, 0o666);
    chmodSync(file, 0o444);
    chmodSync(dirname(file), 0o555);
    onTestFinished(() => chmodSync(dirname(file), 0o755));
    const run = new Run("writesWithoutRights", file);
    expect(await run.said()).toEqual([
      expect.stringMatching(/^CACHEME_(CONNECT|STORAGE)_FAILED$/),
      expect.stringContaining("may be written by this user"),
    ]);
  });
});
