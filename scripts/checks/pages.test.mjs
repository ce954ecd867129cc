import { describe, expect, it } from "vitest";
import { opensWithSummary } from "./pages.mjs";

describe("the opening of a page", () => {
  it("is a title and two lines", () => {
    expect(opensWithSummary("# Title\n\nOne line of prose.\n`code` begins the second.\n\n## More\n")).toBe(
      true,
    );
  });

  it.each([
    ["without a title", "One line.\nTwo lines.\n\n"],
    ["one line", "# Title\n\nOne line.\n\nMore.\n"],
    ["three lines", "# Title\n\nOne.\nTwo.\nThree.\n\n"],
    ["a table", "# Title\n\n| a | b |\n| - | - |\n\n"],
    ["a heading", "# Title\n\nOne line.\n## Two\n\n"],
  ])("is not %s", (_, page) => {
    expect(opensWithSummary(page)).toBe(false);
  });
});
