import { describe, expect, it } from "vitest";
import { codeOf, errorTable, RecordTooLarge } from "../../src/driver.js";

const table = errorTable({
  codeOf: (error) => (codeOf(error).startsWith("S") ? codeOf(error) : ""),
  advice: { S1: "Make room.", S2: "Try again." },
  full: ["S1"],
  conflicts: ["S2"],
  needs: "Couch 3 or newer",
  removed: ["values"],
  isAnswer: ({ message }) => message.startsWith("SASL"),
});

const errorOf = (code: string, more: object = {}): Error =>
  Object.assign(new Error("words"), { code, ...more });

describe("a table of a server's errors", () => {
  it("has the advice for a code, and points to the server's words or the lost connection otherwise", () => {
    const { errors } = table;
    expect(errors.advice?.(errorOf("S1"))).toBe("Make room.");
    expect(errors.advice?.(errorOf("S9"))).toBe("The server's words say why.");
    expect(errors.advice?.(errorOf("ECONNRESET"))).toMatch(/^The connection was lost/);
    expect(errors.remedyFor?.(errorOf("S2"))).toBe("Try again.");
    expect(errors.remedyFor?.(errorOf("S9"))).toBeUndefined();
  });

  it("knows the server's answers, a full server and conflicts", () => {
    const { errors, isConflict } = table;
    expect(["S9", "ECONNRESET"].map((code) => errors.isAnswer?.(errorOf(code)))).toEqual([true, false]);
    expect(errors.isAnswer?.(new Error("SASL: bad"))).toBe(true);
    expect(["S1", "S2", ""].map((code) => errors.isFull?.(errorOf(code)))).toEqual([true, false, false]);
    expect(["S1", "S2", ""].map((code) => isConflict(errorOf(code)))).toEqual([false, true, false]);
  });

  it("has the advice for records that do not fit, and needs neither conflicts nor removed properties", () => {
    const { errors } = errorTable({
      codeOf,
      advice: { RecordTooLarge: "Store less." },
      full: [],
      needs: "Couch 3",
    });
    expect(errors.advice?.(new RecordTooLarge("too large"))).toBe("Store less.");
    expect(errors.clean?.(errorOf("S1", { values: [] }))).toHaveProperty("values");
    expect(errors.isAnswer?.(new Error("words"))).toBe(false);
  });

  it("removes values from errors", () => {
    expect(table.errors.clean?.(errorOf("S1", { values: ["secret"], detail: "kept" }))).not.toHaveProperty(
      "values",
    );
  });

  it("lets a trial pass on a full server and after a conflict", () => {
    const { needs, passes } = table.trial;
    expect(needs).toBe("Couch 3 or newer");
    expect(["S1", "S2", "S9"].map((code) => passes?.(errorOf(code)))).toEqual([true, true, false]);
  });
});
