import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClassNews, MessageWriter, readMessage, type TagMessage } from "../../src/bus/message.js";

const shortest = 1_000;

/** Returns what the messages say, by class, with the keys of each in their order. */
function told(messages: readonly string[]) {
  const classes = new Map<string, string[] | "all">();
  const tags: TagMessage[] = [];
  for (const text of messages) {
    const message = readMessage(text);
    if (message === undefined || message === "newer") throw new Error(`It reads as ${message}.`);
    for (const { busId, keys } of message.classes) {
      const known = classes.get(busId) ?? [];
      classes.set(busId, known === "all" || keys === "all" ? "all" : [...known, ...keys]);
    }
    tags.push(...message.tags);
  }
  return { classes: Object.fromEntries(classes), tags };
}

describe("the messages of the bus", () => {
  it("carry keys of classes, whole classes, and tags with their generations", () => {
    const writer = new MessageWriter("shop", "origin");
    const classes: ClassNews[] = [
      { busId: "user:1", keys: ["1", 'with "quotes"', "Zürich"] },
      { busId: "post:2", keys: "all" },
    ];
    const generation = { id: "abc", at: 1_700_000_000_000 };
    const tags = [
      { tag: "team:7", storage: "redis", generation },
      { tag: "team:8", storage: undefined, generation },
    ];
    const [text = "", ...others] = writer.news(classes, tags, 65_536);
    expect(others).toEqual([]);
    expect(readMessage(text)).toEqual({
      prefix: "shop",
      origin: "origin",
      kind: "news",
      sequence: 1,
      classes,
      tags,
    });
  });

  it("are numbered, and plain ones carry the last number", () => {
    const writer = new MessageWriter("shop", "origin");
    const news = () => writer.news([{ busId: "user:1", keys: ["1"] }], [], shortest);
    const texts = [writer.plain("leave"), ...news(), ...news(), writer.plain("beat")];
    writer.skip();
    texts.push(...news());
    expect(texts.map(readMessage)).toMatchObject([
      { kind: "leave", sequence: 0 },
      { kind: "news", sequence: 1 },
      { kind: "news", sequence: 2 },
      { kind: "beat", sequence: 2 },
      { kind: "news", sequence: 4 },
    ]);
  });

  it("stay within the transport's limit, and lose no key", () => {
    // Characters of one to six bytes in a message. All of Unicode would take fast-check seconds to prepare.
    const unit = fc.constantFrom("a", ":", '"', "\\", "\u0001", "ü", "日", "😀");
    const text = (minLength: number, maxLength: number) => fc.string({ unit, minLength, maxLength });
    const classes = fc.uniqueArray(fc.record({ busId: text(1, 40), keys: fc.uniqueArray(text(1, 30)) }), {
      selector: ({ busId }) => busId,
      maxLength: 4,
    });
    const tags = fc.array(
      fc.record({
        tag: text(0, 40),
        storage: fc.option(text(0, 20), { nil: undefined }),
        generation: fc.record({ id: text(0, 22), at: fc.nat() }),
      }),
      { maxLength: 12 },
    );
    const limit = fc.integer({ min: shortest, max: 2_000 });
    fc.assert(
      fc.property(classes, tags, limit, (news, generations, longest) => {
        const messages = new MessageWriter("s".repeat(60), "o".repeat(22)).news(news, generations, longest);
        expect(Math.max(0, ...messages.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(longest);
        expect(messages.map((text) => readMessage(text))).toMatchObject(
          messages.map((_, index) => ({ sequence: index + 1 })),
        );
        const expected = news.filter(({ keys }) => keys.length > 0);
        expect(told(messages)).toEqual({
          classes: Object.fromEntries(expected.map(({ busId, keys }) => [busId, keys])),
          tags: generations,
        });
      }),
    );
  });

  it("announce a class as a whole if one of its keys fits into no message", () => {
    const keys = ["1", "x".repeat(shortest), "2"];
    const messages = new MessageWriter("shop", "origin").news([{ busId: "user:1", keys }], [], shortest);
    expect(told(messages)).toEqual({ classes: { "user:1": "all" }, tags: [] });
  });

  it("differ from other strings and from newer formats", () => {
    const text = new MessageWriter("shop", "origin").plain("beat");
    expect(readMessage(text.replace('["cacheme",1,', '["cacheme",2,'))).toBe("newer");
    for (const other of [
      "",
      "hello",
      "[1]",
      '["cacheme",',
      '["cacheme","1"]',
      text.replace('"beat"', '"other"'),
      text.replace("[],[]]", "[7],[]]"),
      text.replace("[],[]]", '[["user:1",1,7]],[]]'),
      text.replace("[],[]]", '[],[["tag"]]]'),
      text.replace(",0,[]", ",0.5,[]"),
    ]) {
      expect(readMessage(other), other).toBeUndefined();
    }
  });
});
