import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Resolution, resolveServer } from "../src/find/resolve.js";
import { measureStartUp } from "../src/run/start-up.js";
import { catalogue } from "../src/services/catalogue.js";
import { describeWithServer } from "../src/vitest.js";

describeWithServer("memcached", "the measurement of the services' start", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cacheme-start-up-"));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** Imitates a machine that has only memcached. */
  function prepared(memcached: Resolution): void {
    const nothing: Resolution = { from: "nowhere", reason: "It is not here." };
    const others = Object.fromEntries(Object.keys(catalogue).map((name) => [name, nothing]));
    const path = join(folder, "services.json");
    writeFileSync(path, JSON.stringify({ ...others, memcached }));
    vi.stubEnv("CACHEME_SERVICES_FILE", path);
  }

  it("names each service of the machine with its time, and the time of all", async () => {
    prepared(resolveServer("memcached"));
    expect(await measureStartUp()).toMatch(/^All started together in \d+ ms: memcached \d+ ms$/);
  });

  it("says which service did not start, and why", async () => {
    prepared({ from: "binary", path: "/bin/false" });
    await expect(measureStartUp()).rejects.toThrow("memcached ended before it was ready");
  });
});
