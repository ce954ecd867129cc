import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { codeOf } from "../src/trouble.js";

it("reads the code of a file system's error of another realm, as test runners' contexts get it", () => {
  expect(codeOf(runInNewContext(`Object.assign(new Error("no such file"), { code: "ENOENT" })`))).toBe(
    "ENOENT",
  );
});
