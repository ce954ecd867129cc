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
  .slice(page.indexOf("## Supported types"))
  .matchAll(/^\| (?<value>.+?) \| (?<json>yes|no) \| (?<msgpack>yes|no) \| (?<v8>yes|no) \|$/gm);
const table = [...rows].map((row) => row.groups as Record<"value" | "json" | "msgpack" | "v8", string>);

const serializers = { json: json(), msgpack: msgpack(), v8: v8() };

describe("the documented table", () => {
  it("has a row for each of the samples, and no other", () => {
    expect(table.map((row) => row.value)).toEqual(Object.keys(samples));
  });

  describe.each(table)("$value", (row) => {
    const asTheTableSays = (name: keyof typeof serializers, wrapped: (sample: unknown) => unknown) => {
      const serializer = serializers[name];
      for (const sample of samples[row.value]?.() ?? []) {
        const value = wrapped(sample);
        if (row[name] === "yes") {
          expectSame(serializer.decode(serializer.encode(value)), wrapped(expectedOf(sample)));
        } else {
          expect(() => serializer.encode(value)).toThrow(SerializationError);
        }
      }
    };

    it.each(["json", "msgpack", "v8"] as const)("%s does as the table says", (name) => {
      asTheTableSays(name, (sample) => sample);
    });

    it.each(["json", "msgpack", "v8"] as const)("%s does as the table says inside a value", (name) => {
      asTheTableSays(name, (sample) => [{ in: sample ?? (row[name] === "yes" ? 0 : undefined) }]);
    });
  });
});
