import { KeyPattern } from "cacheme/driver";
import { describe, expect, it } from "vitest";
import { page } from "../src/commands.js";

describe("a page of a scan", () => {
  it.each([
    [["user:", ""], "^user:"],
    [["user:", ":mail"], "^user:.*:mail$"],
    [["a", "a", "a", "b"], "^a.*b$"],
  ])("sends the server only the first and the last literal of %j", (literals, expression) => {
    const filter = page(KeyPattern.of(...(literals as [string, ...string[]])), undefined);
    expect(JSON.stringify(filter)).toContain(JSON.stringify({ $regex: expression, $options: "s" }));
  });
});
