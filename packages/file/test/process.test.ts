import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { createInterface } from "node:readline";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { connected, place, record, text } from "./place.js";

let program: Program;
beforeAll(async () => {
  program = await bundleProgram(new URL("program.ts", import.meta.url));
});
afterAll(() => program.remove());

/** A process of the program, and what it says line by line. */
class Run {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(scenario: string, folder: string, limits = "") {
    const words = [process.execPath, program.path, scenario, folder];
    const quoted = words.map((word) => `'${word}'`).join(" ");
    this.process = spawn("sh", ["-c", `${limits} exec ${quoted}`], { stdio: ["pipe", "pipe", "inherit"] });
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
    const folder = place();
    const run = new Run("writes", folder);
    expect(await run.said()).toBe("written");
    await run.ended();
    expect(run.process.exitCode).toBe(0);
    expect(await text(await connected(folder), "program")).toBe("value");
  });
});

describe("eight processes", () => {
  it("give each lease to one of them, and make each generation once", { timeout: 120_000 }, async () => {
    const folder = place();
    const runs = Array.from({ length: 8 }, () => new Run("races", folder));
    for (const run of runs) expect(await run.said()).toBe("ready");
    for (const run of runs) run.process.stdin?.end("go\n");
    const answers = (await Promise.all(runs.map((run) => run.said()))) as { won: string[]; ids: string[] }[];
    const won = answers.flatMap((answer) => answer.won);
    expect(won.toSorted()).toEqual(Array.from({ length: 50 }, (_, index) => `lease:${index}`).toSorted());
    for (const { ids } of answers) expect(ids).toEqual(answers[0]?.ids);
  });

  it("hold a lease one after the other", { timeout: 120_000 }, async () => {
    const folder = place();
    const runs = Array.from({ length: 8 }, () => new Run("counts", folder));
    for (const run of runs) expect(await run.said()).toBe("counted");
    expect(await text(await connected(folder), "count")).toBe("160");
  });
});

describe("processes that are killed while they write", () => {
  it("leave whole records, and block nobody", { timeout: 120_000 }, async () => {
    const folder = place();
    const keys = Array.from({ length: 20 }, (_, index) => `${index}`);
    for (let round = 0; round < 5; round++) {
      const runs = [new Run("writesForEver", folder), new Run("writesForEver", folder)];
      for (const run of runs) expect(await run.said()).toBe("ready");
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
      for (const run of runs) run.process.kill("SIGKILL");
      for (const run of runs) await run.ended();
      const storage = await connected(folder);
      for (const bytes of await storage.readMany(keys)) {
        if (bytes === undefined) continue;
        expect(bytes.length).toBe(100_000);
        expect(new Set(bytes).size).toBe(1);
      }
      // Leases of 50 ms and locks of 250 ms are what the killed ones may have left.
      await storage.generations!.bump(["tag"], undefined);
      for (const key of keys) {
        let outcome: string | undefined;
        while (outcome !== "granted" && outcome !== "fresh") {
          const [answer] = await storage.leases!.acquire([{ key, duration: 1 }]);
          outcome = answer?.outcome;
        }
      }
    }
  });
});

describe("what a process may not do", () => {
  it("does not open a file for each key of a batch at once", async () => {
    expect(await new Run("writesMany", place(), "ulimit -n 100;").said()).toBe(500);
  });

  it("is told where a file cannot grow, and keeps what was there", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("large", "before")]);
    expect(await new Run("writesTooMuch", folder, "ulimit -f 100;").said()).toEqual([
      "CACHEME_STORAGE_FAILED",
      expect.stringContaining("EFBIG"),
    ]);
    expect(await text(storage, "large")).toBe("before");
  });

  it("is told where it may not write the folder", async () => {
    const folder = place();
    chmodSync(program.path, 0o644);
    chmodSync(folder, 0o555);
    expect(await new Run("writesWithoutRights", folder).said()).toEqual([
      "CACHEME_CONNECT_FAILED",
      expect.stringContaining("may be written by this user"),
    ]);
  });
});
