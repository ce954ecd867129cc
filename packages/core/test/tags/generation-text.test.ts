import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generationFrom, generationText, isGeneration } from "../../src/storage/generations.js";

const known = { id: "a-generation_1", at: 1_764_578_400_000 };

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

describe("a stored generation", () => {
  it("is recognised without being parsed", () => {
    expect(isGeneration(known, bytesOf(generationText(known)))).toBe(true);
  });

  it.each([
    "a-generation_2@1764578400000",
    "a-generation_1@1764578400001",
    "a-generation_1@176457840000",
    "a-generation_1@176457840000x",
    "a-generation_1@",
    "a-generation_1:1764578400000",
    "a-generation_",
    "",
    `a-generation_1@${"0".repeat(4)}1764578400000`,
  ])("is not taken for another one: %s", (text) => {
    expect(isGeneration(known, bytesOf(text))).toBe(false);
  });

  it("is recognised just as it is parsed", () => {
    const texts = fc.oneof(
      fc.stringMatching(/^[a-c]{1,3}@\d{1,4}$/),
      fc.stringMatching(/^[a-c@0-9]{0,6}$/),
      fc.string({ maxLength: 6 }),
    );
    const generations = fc.record({ id: fc.stringMatching(/^[a-c]{1,2}$/), at: fc.nat(99) });
    fc.assert(
      fc.property(texts, generations, (text, generation) => {
        const { id, at } = generationFrom(bytesOf(text)) ?? {};
        expect(isGeneration(generation, bytesOf(text))).toBe(id === generation.id && at === generation.at);
      }),
      { numRuns: 2_000 },
    );
  });
});
