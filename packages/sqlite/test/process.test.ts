import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeColdReaders } from "@cacheme/test-services/cold-tests";
import { describeDiskProcesses } from "@cacheme/test-services/disk/process-tests";
import { describe, expect, it, onTestFinished } from "vitest";
import { connected, handle, place } from "./place.js";

const start = describeDiskProcesses({
  source: new URL("program.ts", import.meta.url),
  place,
  folderOf: dirname,
  connected,
  // The program stands in another folder, from where the library would not be found.
  env: { ...process.env, NODE_PATH: fileURLToPath(new URL("../node_modules", import.meta.url)) },
  patience: 60_000,
});

describe("readers in several processes", () => {
  describeColdReaders(place, new URL("program.ts", import.meta.url), {
    env: { ...process.env, NODE_PATH: fileURLToPath(new URL("../node_modules", import.meta.url)) },
  });
});

describe("processes that are killed while they write", () => {
  it("leave a sound file, and no half of a record", { timeout: 60_000 }, async () => {
    const file = place();
    for (let round = 0; round < 5; round++) {
      const runs = [start("writesForEver", file), start("writesForEver", file)];
      for (const run of runs) expect(await run.said()).toBe("ready");
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));
      await Promise.all(runs.map((run) => run.kill()));
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
  it("is told which library to install where there is none", async () => {
    const run = start("needsLibrary", place(), { env: {} });
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
    const run = start("needsLibrary", place(), { env: { NODE_PATH: modules } });
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
    const run = start("writesWithoutRights", file);
    expect(await run.said()).toEqual([
      expect.stringMatching(/^CACHEME_(CONNECT|STORAGE)_FAILED$/),
      expect.stringContaining("may be written by this user"),
    ]);
  });
});
