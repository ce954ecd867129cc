import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { reason, thrownBy } from "./support/reason.js";
import { countingNode, localOnly, remoteOnly, space, twoTiers } from "./support/space.js";

const oneShots: Readonly<Record<string, () => unknown>> = {
  "a Response": () => new Response("body"),
  "a Request": () => new Request("http://localhost/"),
  "a web stream": () => new Blob(["a"]).stream(),
  "a TransformStream": () => new TransformStream(),
  "a stream of Node's": () => Readable.from(["a"]),
  "a duplex": () => new PassThrough(),
  "a generator": () => (function* () {})(),
  "an async generator": () => (async function* () {})(),
  "an iterator of an array": () => [1].values(),
  "an iterator of a map": () => new Map().entries(),
  "an iterator of one's own": () =>
    new (class Rows {
      next() {
        return { done: true, value: undefined };
      }
      [Symbol.asyncIterator]() {
        return this;
      }
    })(),
  "a Response in an object": () => ({ status: 200, data: new Response("body") }),
  "a stream in a list": () => ["a", Readable.from(["a"])],
};

const refusal = { code: "CACHEME_NOT_SERIALIZABLE", node: "counting", key: "1" };

describe.each(Object.entries(oneShots))("%s", (_what, make) => {
  it.each([
    ["local", localOnly],
    ["remote", remoteOnly],
    ["local and remote", twoTiers],
    ["no", []],
  ])(
    "is refused for all readers with %s tiers, with advice what to return instead",
    async (_tiers, caches) => {
      const { cacheme } = await space();
      const { Counting } = countingNode({ caches }, make);

      const errors = await Promise.all([1, 1].map((id) => reason(cacheme.get(new Counting(id)))));

      for (const error of errors) {
        expect(error).toMatchObject(refusal);
        expect((error as Error).message).toMatch(
          /can be read only once, so it cannot be cached\. (?:Return|Read) .*`/,
        );
      }
      expect(await cacheme.peek(new Counting(1))).toBeUndefined();
    },
  );

  it("is refused by getSync and set", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, make);

    expect(thrownBy(() => cacheme.getSync(new Counting(1) as never))).toMatchObject(refusal);
    expect(await reason(cacheme.set(new Counting(1), make()))).toMatchObject(refusal);
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
  });
});

it("accepts values that can be read again", async () => {
  const { cacheme } = await space();
  const values = [
    [1, 2],
    new Map([[1, 2]]),
    new Set([1]),
    new Blob(["a"]),
    new URL("http://localhost/"),
    Buffer.from("a"),
    { next: 2, locked: true, pipe: "clay" },
    { next: () => 1 },
    new Proxy({}, { get: (_target, name) => (name === "then" ? undefined : () => 1) }),
  ];
  const { Counting } = countingNode({ caches: localOnly }, (id) => values[id]);

  for (const [id, value] of values.entries()) expect(await cacheme.get(new Counting(id))).toBe(value);
});

it("names the path of a value inside another one", async () => {
  const { cacheme } = await space();
  const { Counting } = countingNode({ caches: localOnly }, () => ({ data: new Response("body") }));

  expect(await reason(cacheme.get(new Counting(1)))).toMatchObject({
    path: "$.data",
    message: expect.stringContaining("at $.data is a Response, which can be read only once"),
  });
});
