import { describe, expect, it } from "vitest";
import { grouped } from "../src/grouped.js";

describe("a number in a message", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1_000, "1,000"],
    [12_345, "12,345"],
    [1_234_567, "1,234,567"],
  ])("has commas between thousands: %i", (number, text) => {
    expect(grouped(number)).toBe(text);
  });
});
