import { describe, expect, it } from "vitest";
import { connectionSettings, ensureTable, quotedName, type TableSettings } from "../../src/driver.js";
import { reason } from "../support/reason.js";

const gone = new Error("no such table");

/** Looks for a table of a server that has this much of it, and returns what was made. */
async function madeBy(
  has: "nothing" | "a table" | "a bounded table" | "another table",
  options: Partial<Pick<TableSettings, "createTable" | "maxSize">> = {},
): Promise<string[]> {
  const made: string[] = [];
  const common = { label: "sql://here", table: '"cacheme"', createTable: true, maxSize: undefined };
  await ensureTable(
    { ...connectionSettings({}, "sql()"), ...common, ...options },
    {
      probe: async () => {
        if (has === "nothing") throw gone;
        if (has === "another table") throw new Error("no such column");
      },
      isMissing: (error) => error === gone,
      create: async () => made.push("table"),
      remedy: "Run sqlTable()",
      isBounded: async () => has === "a bounded table",
      bound: async () => made.push("index"),
      boundRemedy: "Run CREATE INDEX",
    },
  );
  return made;
}

describe("the table of a storage", () => {
  it("is created if it is missing, and gets the index that maxSize needs", async () => {
    expect(await madeBy("nothing", { maxSize: 1 })).toEqual(["table"]);
    expect(await madeBy("a table")).toEqual([]);
    expect(await madeBy("a table", { maxSize: 1 })).toEqual(["index"]);
    expect(await madeBy("a bounded table", { maxSize: 1, createTable: false })).toEqual([]);
  });

  it("is refused with a remedy if the storage may not create what is missing", async () => {
    expect(await reason(madeBy("nothing", { createTable: false }))).toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringMatching(
        /no table "cacheme". Run sqlTable\(\), or leave createTable: false out\.$/,
      ),
      cause: gone,
    });
    expect(await reason(madeBy("a table", { createTable: false, maxSize: 1 }))).toMatchObject({
      message: expect.stringMatching(/no index for maxSize. Run CREATE INDEX, or leave maxSize out\.$/),
    });
  });

  it("is not created if the server refuses it for another reason", async () => {
    expect(await reason(madeBy("another table"))).toMatchObject({ message: "no such column" });
  });

  it("has a name between the database's quotes", () => {
    expect(quotedName(["cache", "entries"], "`")).toBe("`cache`.`entries`");
  });
});
