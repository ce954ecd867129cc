import { expect, it, vi } from "vitest";
import { portable } from "../src/hash.js";

// A file of its own: the library keeps the first TextEncoder that it made.
it("hashes strings in JavaScript where there is no TextEncoder, as in Jest's jsdom environment", () => {
  vi.stubGlobal("TextEncoder", undefined);
  expect(portable("Nobody inspects the spammish repetition", 0)).toBe(0xe229_3b2f);
});
