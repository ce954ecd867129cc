import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { bundle } from "../packages/testkit/test/simulation/bundle.mjs";
import { plants } from "../packages/testkit/test/simulation/plants.mjs";

const folder = mkdtempSync(join(tmpdir(), "cacheme-plants-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the faults that npm run simulate -- --plants tries", () => {
  it.each(plants.filter(({ edits }) => edits !== undefined))(
    "fit the sources: $name",
    { timeout: 60_000 },
    async ({ edits }) => {
      await bundle(folder, edits);
    },
  );
});
