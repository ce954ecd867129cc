import { expect } from "vitest";
import type { NodeMeta } from "../../src/index.js";
import { countingNode, localOnly, space } from "./space.js";

/** Expects that a class with the meta is refused, with these words in the message. */
export async function expectRefused(meta: object, words: string): Promise<void> {
  const { cacheme } = await space();
  const { Counting } = countingNode({ caches: localOnly, ...meta } as NodeMeta, () => 1);
  await expect(cacheme.get(new Counting(1))).rejects.toMatchObject({
    code: "CACHEME_INVALID_META",
    message: expect.stringContaining(words),
  });
}
