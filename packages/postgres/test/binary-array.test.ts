import { describeWithServer } from "@cacheme/test-services/vitest";
import { expect, it } from "vitest";
import { booleanArray, byteaArray, numberArray, textArray, uuidArray } from "../src/binary-array.js";
import { observer } from "./place.js";

describeWithServer("postgres", "an array in binary form", (server) => {
  /** Returns the elements that the server reads. */
  async function elements(array: Buffer | null, type: string): Promise<unknown> {
    const client = await observer(server());
    const { rows } = await client.query(
      `SELECT array_agg(element) AS elements FROM unnest($1::${type}[]) AS u(element)`,
      [array],
    );
    return rows[0].elements;
  }

  it.each([
    [["a"]],
    [["a", "", "key:1"]],
    [['a"b', "{c}", "NULL", "d\\"]],
    [["é", "語", "😀"]],
    [["a", "é", "b"]],
    [["x".repeat(255), "y".repeat(256), "z".repeat(70_000)]],
  ])("has the texts %j", async (texts) => {
    expect(await elements(textArray(texts), "text")).toEqual(texts);
  });

  it("has nulls where there are no elements, and is none where there are none at all", async () => {
    expect(await elements(textArray(["a", undefined, ""]), "text")).toEqual(["a", null, ""]);
    expect(await elements(numberArray([undefined, 1.5]), "float8")).toEqual([null, 1.5]);
    expect(textArray([undefined, undefined])).toBeNull();
  });

  it("has bytes, numbers, truths and tokens", async () => {
    const bytes = [Buffer.from([0, 255, 92]), Buffer.alloc(0)];
    expect(await elements(byteaArray(bytes), "bytea")).toEqual(bytes);
    expect(await elements(numberArray([1, 1e15, 315_360_000_000]), "float8")).toEqual([
      1, 1e15, 315_360_000_000,
    ]);
    expect(await elements(booleanArray([true, false]), "boolean")).toEqual([true, false]);
    expect(await elements(uuidArray([Buffer.alloc(16, 0xab)]), "uuid")).toEqual([
      "abababab-abab-abab-abab-abababababab",
    ]);
  });
});
