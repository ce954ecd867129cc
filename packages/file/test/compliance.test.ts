import { rmSync } from "node:fs";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { afterAll } from "vitest";
import { file } from "../src/index.js";
import { newFolder } from "./place.js";

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true }));

storageCompliance({
  name: "@cacheme/file",
  create: ({ url: _, ...options }) => file(folder, options),
});
