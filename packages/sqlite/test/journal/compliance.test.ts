import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { journalCompliance } from "@cacheme/testkit/vitest";
import { afterAll } from "vitest";
import { sqliteJournal } from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "cacheme-sqlite-journal-"));
afterAll(() => rmSync(folder, { recursive: true }));

journalCompliance({
  name: "sqliteJournal",
  create: (place) => sqliteJournal(join(folder, `${place}.db`)),
});

journalCompliance({ name: "sqliteJournal in memory", create: () => sqliteJournal(":memory:") });
