import assert from "node:assert/strict";
import { largestTried } from "../capabilities.js";
import { type Section, section } from "../case.js";
import { readTexts, refused } from "../expect.js";
import type { Trial } from "../subject.js";

/** 251 bytes, all different. */
const period = Uint8Array.from({ length: 251 }, (_, index) => index);

/** Values, which must come back unchanged. */
export const values: Section = section("values", {
  "returns an empty value, instead of a miss": async (trial) => {
    await comesBack(trial, new Uint8Array());
  },

  "keeps all values of a byte": async (trial) => {
    await comesBack(
      trial,
      Uint8Array.from({ length: 256 }, (_, value) => value),
    );
  },

  "keeps strings that look empty or like a database's own words": async ({ storage, key }) => {
    const texts = ["0", "false", "null", "", "\r\n", "END\r\n", "\0", "\\x00", "\\", "'", '"', "NULL"];
    await storage.writeMany(
      texts.map((text, index) => ({ key: key(`${index}`), bytes: Buffer.from(text), ttl: 60_000 })),
    );
    assert.deepEqual(await readTexts(storage, ...texts.map((_, index) => key(`${index}`))), texts);
  },

  "keeps a part of a larger array as only that part": async (trial) => {
    const whole = Uint8Array.from({ length: 256 }, (_, value) => value);
    await comesBack(trial, new Uint8Array(whole.buffer, 100, 50));
  },

  "keeps values of sizes around the usual limits of buffers": async (trial) => {
    for (const size of [1, 1023, 1024, 8191, 8192, 16_383, 16_384, 65_535, 65_536, 1_000_000]) {
      await comesBack(trial, pattern(size));
    }
  },

  "keeps its largest value, up to 16 MiB": async (trial) => {
    await comesBack(trial, pattern(Math.min(largestTried, trial.capabilities.longestValue ?? largestTried)));
  },

  "refuses a value that is too large, and keeps the other records": async (trial) => {
    const { storage, key, capabilities } = trial;
    const limit = capabilities.longestValue ?? largestTried;
    if (limit >= largestTried) return comesBack(trial, pattern(largestTried));
    const tooLarge = { key: key("large"), bytes: Buffer.alloc(limit + 1), ttl: 60_000 };
    const error = await refused(storage.writeMany([tooLarge]), "CACHEME_STORAGE_FAILED");
    assert.ok(error.message.includes(key("large")), `expected a message with the key, got: ${error.message}`);
    assert.deepEqual(await readTexts(storage, key("large")), [undefined]);
    await comesBack(trial, pattern(1000));
  },

  "does not use the caller's bytes after the write has settled": async ({ storage, key }) => {
    const bytes = Buffer.from("as written");
    await storage.writeMany([{ key: key("a"), bytes, ttl: 60_000 }]);
    bytes.fill(0);
    assert.deepEqual(await readTexts(storage, key("a")), ["as written"]);
  },
});

async function comesBack({ storage, key }: Trial, bytes: Uint8Array): Promise<void> {
  const name = key(`bytes:${bytes.length}`);
  await storage.writeMany([{ key: name, bytes, ttl: 60_000 }]);
  const [found] = await storage.readMany([name]);
  assert.ok(found !== undefined, `expected ${bytes.length} bytes, got a miss`);
  assert.equal(Buffer.compare(found, bytes), 0, `expected the same ${bytes.length} bytes, got others`);
}

/** Returns bytes in which no block of a usual length is repeated at its position. */
function pattern(length: number): Uint8Array {
  return Buffer.alloc(length, period);
}
