import { describe, expect, it } from "vitest";
import { pageSentences } from "./page-sentences.mjs";
import { measurePage } from "./plain-english.mjs";

/** @param {string} page */
const textsOf = (page) => pageSentences(page).map(({ text }) => text);

describe("the sentences of a page", () => {
  it("are those of paragraphs, also over several lines", () => {
    expect(textsOf("# A title of words\n\nOne is read here. Another follows\non two lines.\n")).toEqual([
      "One is read here.",
      "Another follows on two lines.",
    ]);
  });

  it("are each list item's and each cell's", () => {
    const page =
      "- **Bold.** The first item is short.\n- the second item\n\n| the head is read | b |\n| --- | --- |\n";
    expect(textsOf(page)).toEqual(["The first item is short.", "the second item", "the head is read"]);
  });

  it("leave out code, comments, addresses and the head of a changeset", () => {
    const page =
      '---\n"cacheme": minor\n---\n\n```ts\nWhat is code here;\n```\n\n<!-- What is hidden here -->\nReads [a page](what-it-is.md) by `what it is`.\n';
    expect(textsOf(page)).toEqual(["Reads [a page] by `code`."]);
  });

  it("keep the lines of the page", () => {
    const page = "# Title\n\n```ts\na\n```\n\nThe line is seven.\n\n- This line is nine.\n";
    expect(pageSentences(page).map(({ line }) => line)).toEqual([7, 9]);
  });
});

describe("the count of a page", () => {
  it("has sentences that open with a clause, and no cells such as column heads", () => {
    const page =
      "What it does is short.\n\n| what to do | x |\n| --- | --- |\n| Where it fails, stop. | y |\n";
    const { openings, findings } = measurePage("a.md", page);
    expect(openings).toBe(2);
    expect(findings.map(({ at }) => at)).toEqual(["a.md:1", "a.md:5"]);
  });
});
