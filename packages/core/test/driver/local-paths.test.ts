import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { LocalPaths } from "../../src/driver.js";

const paths: LocalPaths = new LocalPaths({
  where: "tar()",
  option: "file",
  scheme: "tar",
  forms: "Give a path.",
  name: ":tape:",
  fromAddress: (address) => {
    if (address.includes("?")) throw paths.withQuery();
    return address.slice(4);
  },
});

describe("the place of a storage on the disk", () => {
  it.each([
    ["a path", "a/b.tar", resolve("a/b.tar")],
    ["a path with a colon", "./tar:b", resolve("tar:b")],
    ["a drive of Windows, which is no scheme", "c:b.tar", resolve("c:b.tar")],
    ["an address", "TAR:/b.tar", "/b.tar"],
    ["an object", { file: "/b.tar" }, "/b.tar"],
    ["a name", ":tape:", ":tape:"],
    ["a name in an address", "tar::tape:", ":tape:"],
  ])("is %s", (_, target, path) => {
    expect(paths.of(target)).toBe(path);
  });

  it.each([
    [
      "an address of another scheme",
      "zip:/secret",
      "tar() was given an address of another kind. Give a path.",
    ],
    ["an address with a query", "tar:/b?secret", 'tar() was given an address with "?" or "#" in it.'],
    ["no path", "", 'tar() was given "" as a file. Give a path.'],
    ["a path that no system takes", "a\0b", 'tar() was given "a\\u0000b" as a file.'],
    ["an address without a path", "tar:", 'tar() was given "" as a file.'],
    ["nothing", null, "tar() was given null. Give a path."],
    ["an object without a path", { file: 7 }, "The connection option file of tar() is 7. Give a path."],
    ["an object with more", { file: "a", mode: 7 }, 'tar() has no option "mode". It has: file.'],
  ])("is not %s", (_, target, message) => {
    expect(() => paths.of(target)).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION", message: expect.stringContaining(message) }),
    );
    expect(() => paths.of(target)).not.toThrow("secret");
  });
});
