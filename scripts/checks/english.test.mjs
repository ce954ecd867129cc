import { describe, expect, it } from "vitest";
import { measureSource } from "../lib/plain-english.mjs";
import { judge, lowered } from "./english.mjs";

/** @param {string} source */
function count(source) {
  const { sentences, openings, phrases } = measureSource("a.ts", source);
  return { sentences, openings, phrases };
}

describe("the sentences of comments", () => {
  it("counts each word that opens a clause in place of the subject", () => {
    const source = `
      // What it stores is small. Who reads it waits. Where it fails, it stops.
      // Whoever comes later joins. That it fails is rare. Of two keys one is read.
      export const a = 1;`;
    expect(count(source)).toEqual({ sentences: 6, openings: 6, phrases: 1 });
  });

  it("counts no word inside a sentence, and no longer word", () => {
    const source = "// Returns what was stored. Whatever happens, it closes. Whether or not it fails.";
    expect(count(source)).toEqual({ sentences: 3, openings: 0, phrases: 0 });
  });

  it("reads doc comments tag by tag", () => {
    const source = `
      /**
       * Reads a value
       *
       * - Reads a list's item.
       *
       * @param {string} ending of the file's name
       * @param {string} key what the value is under
       * @param {import("./a.mjs").Options<{ b: 1 }>} [options] where it is kept
       * @returns {Promise<number>} the number of values
       */
      export function read() {}`;
    expect(count(source)).toEqual({ sentences: 6, openings: 2, phrases: 0 });
  });

  it("joins line comments on successive lines, and no others", () => {
    expect(count("// A sentence on\n// two lines of text.")).toMatchObject({ sentences: 1 });
    expect(count("f(); // A first sentence.\ng(); // what comes next\n")).toMatchObject({ openings: 1 });
  });

  it("reads comments only: no string, template, regular expression or code", () => {
    const source = [
      'const a = "// What is this text";',
      "const b = `/* Where is the comment */` /* That is a comment */;",
      "const c = /\\/\\/ What is it/;",
    ].join("\n");
    expect(count(source)).toEqual({ sentences: 1, openings: 1, phrases: 0 });
  });

  it("leaves out code samples and comments for tools", () => {
    const source = `
      // @ts-expect-error What it takes is a string.
      /**
       * Runs the function.
       *
       * \`\`\`ts
       * // What is here is code. What is it?
       * \`\`\`
       *
       * @example
       * What is here is code.
       */
      export const a = 1; // Reads \`anew\` and waits. \`That\` is not counted here.`;
    expect(count(source)).toEqual({ sentences: 3, openings: 0, phrases: 0 });
  });

  it("reads the reason of a suppressed lint", () => {
    const source = "// biome-ignore lint/style/noEnum: what is hot stays a number\nexport const a = 1;";
    expect(count(source)).toEqual({ sentences: 1, openings: 1, phrases: 0 });
  });

  it("counts each phrase that has a plainer word", () => {
    expect(count("// It is told of an error, and mends the pool anew.")).toMatchObject({ phrases: 3 });
    expect(count("// The second may pass by itself. Arguments pass by value.")).toMatchObject({ phrases: 0 });
  });

  it("names the file, the line and the reason of a finding", () => {
    const { findings } = measureSource("src/a.ts", "\n\n// Reads it. What is it called?");
    expect(findings).toEqual([{ at: "src/a.ts:3", text: "What is it called?", reason: 'opens with "What"' }]);
  });

  it("rejects a source that does not parse", () => {
    expect(() => count("const = ;")).toThrow("a.ts does not parse");
  });
});

describe("the recorded counts", () => {
  const recorded = { sentences: 100, openings: 2, phrases: 3 };

  /** @param {{ sentences: number, openings: number, phrases: number }} count */
  const judged = (count) => judge({ core: count }, { core: recorded });

  it("may stay", () => {
    expect(judged(recorded)).toBe("core 2.0 %");
  });

  it("may fall, and the check then says how to record them", () => {
    const fallen = { sentences: 10, openings: 1, phrases: 0 };
    expect(judged(fallen)).toBe(
      'core 10.0 %; fewer than recorded in core: "npm run english -- --write" records them',
    );
  });

  it("may not grow, however many sentences there are", () => {
    expect(() => judged({ ...recorded, sentences: 1000, openings: 3 })).toThrow(
      "core: expected at most 2 sentences",
    );
    expect(() => judged({ ...recorded, phrases: 4 })).toThrow("core: expected at most 3 phrases");
  });

  it("keep a place at or below 2 % that has come there", () => {
    expect(() => judged({ ...recorded, sentences: 99 })).toThrow("core: expected at most 2.0 %");
    const above = { sentences: 100, openings: 3, phrases: 0 };
    expect(judge({ core: { ...above, sentences: 99 } }, { core: above })).toBe("core 3.0 %");
  });

  it("allow no finding in a place that has no record", () => {
    expect(() => judge({ added: { sentences: 100, openings: 1, phrases: 0 } }, {})).toThrow(
      "added: expected at most 0 sentences",
    );
    expect(judge({ added: { sentences: 100, openings: 0, phrases: 0 } }, {})).toBe("added 0.0 %");
  });

  it("are lowered, and never raised, when they are recorded", () => {
    const counts = {
      core: { sentences: 50, openings: 1, phrases: 4 },
      added: { sentences: 10, openings: 1, phrases: 0 },
    };
    expect(lowered(counts, { core: recorded, removed: recorded })).toEqual({
      core: { sentences: 50, openings: 1, phrases: 3 },
      added: { sentences: 10, openings: 0, phrases: 0 },
    });
  });
});
