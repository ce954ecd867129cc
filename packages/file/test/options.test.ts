import { readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describeOptions } from "@cacheme/test-services/disk/option-tests";
import { record } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it } from "vitest";
import { file } from "../src/index.js";
import { connected, entryOf, place } from "./place.js";

describeOptions("file()", file, {
  targets: [
    ["an absolute path", "/var/cache/app", "file:///var/cache/app"],
    ["a relative path", "cache", pathToFileURL(resolve("cache")).href],
    ["an address", "file:///var/cache/app", "file:///var/cache/app"],
    ["an address with a space in it", "file:///var/my%20cache", "file:///var/my%20cache"],
    ["a URL", new URL("file:///var/cache/app"), "file:///var/cache/app"],
    [
      "a URL of another class, as under jsdom",
      {
        href: "file:///var/cache/app",
        protocol: "file:",
        pathname: "/var/cache/app",
        hostname: "",
        search: "",
        hash: "",
      },
      "file:///var/cache/app",
    ],
    ["an object with a folder", { folder: "/var/cache/app" }, "file:///var/cache/app"],
  ],
  refused: [
    ["an empty text", "", "as a folder"],
    ["an address of something else", "redis://user:secret@host", "address of another kind"],
    ["a URL of something else", new URL("https://user:secret@host/"), "address of another kind"],
    ["an address without slashes", "file:cache", "without three slashes"],
    ["an address with a host", "file://host/cache", "no folder of this machine"],
    ["an address with a query", "file:///cache?size=1", '"%3F"'],
    ["nothing", undefined, "was given undefined"],
    ["an object without a folder", {}, "connection option folder of file() is undefined"],
    ["an object with more than a folder", { folder: "a", mode: 1 }, 'no option "mode"'],
  ],
  options: [
    ["maxSize", 1000, "CACHEME_INVALID_OPTION", "65536 at least"],
    ["maxSize", "1gb", "CACHEME_INVALID_OPTION", "whole bytes"],
    ["mode", 7, "CACHEME_INVALID_OPTION", 'no option "mode"'],
  ],
});

describe("the options of file() that are valid", () => {
  it("make nothing before connect()", () => {
    const folder = place();
    file(join(folder, "cache"));
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("the folder", () => {
  it("is made with the folders that it stands in, for its owner alone", async () => {
    const folder = join(place(), "deep", "er");
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A")]);
    const entry = entryOf(folder, "a");
    for (const path of [folder, dirname(entry), join(folder, "tmp"), join(folder, "leases")]) {
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
    expect(statSync(entry).mode & 0o777).toBe(0o600);
  });

  it("is told about by info()", async () => {
    const folder = place();
    const storage = await connected(folder);
    expect(await storage.info?.()).toMatchObject({
      server: expect.stringContaining("node:fs"),
      details: { folder, freeBytes: expect.any(Number) },
    });
  });
});
