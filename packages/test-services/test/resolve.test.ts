import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { howToGet, resolveServer, resolveService } from "../src/find/resolve.js";
import { server, service } from "../src/run/service.js";
import { noteSkip, readSkips } from "../src/skips.js";
import { describeWithService } from "../src/vitest.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cacheme-resolve-"));
  vi.stubEnv("REDIS_URL", undefined);
  vi.stubEnv("CACHEME_SERVICES_FILE", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function program(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, "#!/bin/sh\nexit 0\n");
  chmodSync(path, 0o755);
  return path;
}

function prepared(resolution: object): void {
  const path = join(folder, "services.json");
  writeFileSync(path, JSON.stringify({ redis: resolution }));
  vi.stubEnv("CACHEME_SERVICES_FILE", path);
}

describe("the search for a service", () => {
  it("prefers the address in the variable, but not for a server that tests kill", () => {
    const path = program("redis-server");
    vi.stubEnv("PATH", folder);
    vi.stubEnv("REDIS_URL", "redis://cache.example:6379");
    expect(resolveService("redis")).toEqual({ from: "url", url: "redis://cache.example:6379" });
    expect(resolveServer("redis")).toEqual({ from: "binary", path });
  });

  it("prefers the first of the programs", () => {
    program("valkey-server");
    const path = program("redis-server");
    vi.stubEnv("PATH", folder);
    expect(resolveServer("redis")).toEqual({ from: "binary", path });
  });

  it("uses the result of prepare", () => {
    prepared({ from: "docker" });
    expect(resolveServer("redis")).toEqual({ from: "docker" });
  });

  it("says how to get a missing service", async () => {
    prepared({ from: "nowhere", reason: "Redis is not here." });
    await expect(server("redis")).rejects.toThrow("Redis is not here. To get Redis: install it");
    await expect(service("redis")).rejects.toThrow("apt-get install redis-server");
    expect(howToGet("redis")).toContain("REDIS_URL");
  });
});

describe("a skip", () => {
  it("is noted by name for the closing summary", () => {
    const path = join(folder, "skips");
    vi.stubEnv("CACHEME_SKIPS_FILE", path);
    expect(readSkips(path)).toEqual([]);
    noteSkip({ suite: "one", reason: "no server" });
    noteSkip({ suite: "two", reason: "no server\nat all" });
    expect(readSkips(path)).toEqual([
      { suite: "one", reason: "no server" },
      { suite: "two", reason: "no server\nat all" },
    ]);
  });
});

describeWithService("redis", "a service", (redis) => {
  it("has a proxy whose address differs only in host and port", async () => {
    const proxy = await redis().proxy();
    const expected = new URL(redis().url);
    expected.hostname = "127.0.0.1";
    expected.port = String(proxy.port);
    expect(new URL(proxy.url).href).toBe(expected.href);
  });
});
