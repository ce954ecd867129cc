import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { codeOf } from "../../src/driver.js";

it("reads the code of an error of another realm, as the contexts of test runners get it", () => {
  expect(codeOf(runInNewContext(`Object.assign(new Error("no such file"), { code: "ENOENT" })`))).toBe(
    "ENOENT",
  );
});
