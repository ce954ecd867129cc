import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { afterAll } from "vitest";
import { sqlite } from "../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "cacheme-sqlite-"));
afterAll(() => rmSync(folder, { recursive: true }));

storageCompliance({
  name: "@cacheme/sqlite",
  create: ({ url: _, ...options }) => sqlite(join(folder, "cache.db"), options),
});
