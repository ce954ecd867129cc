import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SerializationError } from "../../src/errors.js";
import { json } from "../../src/serializer/json.js";
import { msgpack } from "../../src/serializer/msgpack.js";
import { v8 } from "../../src/serializer/v8.js";
import { expectSame } from "./same.js";
import { expectedOf, samples } from "./samples.js";

const page = readFileSync(new URL("../../../../docs/serializers.md", import.meta.url), "utf8");
const rows = page
  .slice(page.indexOf("## What each one carries"))
  .matchAll(/^\| (?<value>.+?) \| (?<json>yes|no) \| (?<msgpack>yes|no) \| (?<v8>yes|no) \|$/gm);
const table = [...rows].map((row) => row.groups as Record<"value" | "json" | "msgpack" | "v8", string>);

const serializers = { json: json(), msgpack: msgpack(), v8: v8() };

describe("the documented table", () => {
  it("has a row for each of the samples, and no other", () => {
    expect(table.map((row) => row.value)).toEqual(Object.keys(samples));
  });

  describe.each(table)("$value", (row) => {
    it.each(["json", "msgpack", "v8"] as const)("%s does as the table says", (name) => {
      const serializer = serializers[name];
      for (const sample of samples[row.value]?.() ?? []) {
        if (row[name] === "yes") {
          const expected = expectedOf(sample);
          expectSame(serializer.decode(serializer.encode(sample)), expected);
          expectSame(serializer.decode(serializer.encode([{ in: sample ?? 0 }])), [{ in: expected ?? 0 }]);
        } else {
          expect(() => serializer.encode(sample)).toThrow(SerializationError);
          expect(() => serializer.encode([{ in: sample }])).toThrow(SerializationError);
        }
      }
    });
  });
});
