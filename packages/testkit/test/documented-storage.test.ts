import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { storageCompliance } from "../src/vitest.js";
import { table } from "./table.js";

describe("the storage in docs/storages.md", () => {
  it("is the storage that is tested here", () => {
    const page = readFileSync(new URL("../../../docs/storages.md", import.meta.url), "utf8");
    const program = readFileSync(new URL("./table.ts", import.meta.url), "utf8");
    expect(page).toContain(program.trim());
  });
});

const held = new Map();

storageCompliance({
  name: "the table of docs/storages.md",
  create: () => table(held),
  capabilities: { leases: false, generations: false, touch: false, scan: false, info: false },
});
