import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { afterAll } from "vitest";
import { file } from "../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "cacheme-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

storageCompliance({
  name: "@cacheme/file",
  create: ({ url: _, ...options }) => file(folder, options),
});
