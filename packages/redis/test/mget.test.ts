import * as latest from "ioredis";
import * as second from "ioredis-5.6";
import * as next from "ioredis-6";
import { describe, expect, it } from "vitest";
import type { Library } from "../src/ioredis.js";
import { mgetOf } from "../src/mget.js";

/** Returns what ioredis writes to the socket: for the storage's MGET, and for ioredis's own. */
async function written({ Command, Redis }: Library, keys: readonly string[], keyPrefix = "") {
  const client = new Redis({ lazyConnect: true, keyPrefix });
  const texts: string[] = [];
  client.sendCommand = async (command) => {
    texts.push(`${command.toWritable({})}`);
    return [];
  };
  await mgetOf({ Command, Redis }, client)(keys);
  await client.mgetBuffer([...keys]);
  const [ours, theirs] = texts;
  return { ours, theirs };
}

describe.each([
  ["5.6", second as unknown as Library],
  ["5", latest],
  ["6", next as unknown as Library],
])("an MGET of ioredis %s", (_version, library) => {
  it.each([[["a"]], [["cacheme:user:1:1", "b", "c".repeat(200)]], [["a", "über", "\u{1f600}"]]])(
    "of %j has the bytes of ioredis's own",
    async (keys) => {
      const { ours, theirs } = await written(library, keys);

      expect(ours).toBe(theirs);
    },
  );

  it("has the client's prefix before each key", async () => {
    const { ours } = await written(library, ["a", "b"], "app:");

    expect(ours).toBe("*3\r\n$4\r\nmget\r\n$5\r\napp:a\r\n$5\r\napp:b\r\n");
  });
});
