import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cacheme, CachemeError, defineNode, memory, Node, type NodeMeta } from "../src/index.js";
import { checkedKey, escapedPrefix, nodeLabel, storageKey } from "../src/node/key.js";
import { bareKey, shownKey } from "../src/shown-key.js";
import { reason } from "./support/reason.js";
import { space, twoTiers } from "./support/space.js";

class Keyed extends Node<string> {
  static override meta: NodeMeta = { name: "keyed", caches: twoTiers };
  constructor(readonly id: string) {
    super();
  }
  key() {
    return this.id;
  }
  override load() {
    return `value of ${this.id.slice(0, 20)}… (${this.id.length})`;
  }
}

const stored = (key: string) => storageKey("cacheme:keyed:", key, ":1");

/** Returns a definition with one key. */
function singleOf(name: string, key: string, value: string) {
  return defineNode({ name, key: () => key, load: () => value, caches: [{ storage: "remote", ttl: "1m" }] });
}

describe("a key", () => {
  it("may be any string that is not empty and has neither control characters nor half a surrogate pair", async () => {
    const { cacheme, clock } = await space();
    for (const key of [
      "1",
      " ",
      "a:b",
      "žluť",
      "日本語",
      "😀",
      "a/b?c=d&e",
      "__proto__",
      "constructor",
      "\u2028",
      "%00",
      "*",
    ]) {
      const value = await cacheme.get(new Keyed(key));
      expect(value).toBe(await cacheme.get(new Keyed(key)));
      clock.advance(60_000);
      expect(await cacheme.get(new Keyed(key))).toBe(value);
    }
    expect(cacheme.stats(Keyed)).toMatchObject({ loadCount: 12, hits: { local: 12, remote: 12 } });
  });

  it("is refused with any control character in any place", () => {
    for (let code = 0; code <= 0x9f; code++) {
      const isControl = code < 0x20 || code >= 0x7f;
      for (const key of [`a${String.fromCharCode(code)}`, `${String.fromCharCode(code)}a`]) {
        if (isControl) expect(() => checkedKey(key, "keyed")).toThrow(/control character/);
        else expect(checkedKey(key, "keyed")).toBe(key);
      }
    }
  });

  it("is refused with half a surrogate pair, because all halves would be one in UTF-8", async () => {
    const { cacheme } = await space();
    for (const key of ["\ud800", "a\udfff", "\udc00\ud800", "😀\ud83d"]) {
      expect(await reason(cacheme.get(new Keyed(key)))).toMatchObject({
        code: "CACHEME_INVALID_KEY",
        node: "keyed",
      });
    }
  });
});

describe("a key in a remote storage", () => {
  it("is stored unchanged, up to 200 bytes altogether", () => {
    const room = 200 - "cacheme:keyed::1".length;
    expect(stored("k".repeat(room))).toBe(`cacheme:keyed:${"k".repeat(room)}:1`);
    expect(stored("k".repeat(room + 1))).toMatch(/^cacheme:keyed:~sha256~[\w-]{43}:1$/);
  });

  it("is measured in bytes, not in characters", () => {
    const room = 200 - "cacheme:keyed::1".length;
    expect(stored("é".repeat(room / 2))).toBe(`cacheme:keyed:${"é".repeat(room / 2)}:1`);
    expect(stored("é".repeat(room / 2 + 1))).toMatch(/~sha256~/);
    expect(stored("😀".repeat(46))).toContain("😀".repeat(46));
    expect(stored("😀".repeat(47))).toMatch(/~sha256~/);
  });

  it("is never longer than 200 bytes, and two keys never share a place", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(fc.uniqueArray(text, { minLength: 2, maxLength: 20 }), (keys) => {
        const places = keys.map(stored);
        expect(new Set(places).size).toBe(keys.length);
        for (const place of places) expect(Buffer.byteLength(place)).toBeLessThanOrEqual(200);
      }),
      { numRuns: 300 },
    );
  });

  it("is shortened without collisions if long keys only differ at their ends, beginnings or middles", () => {
    const long = "x".repeat(300);
    const keys = Array.from({ length: 2_000 }, (_, id) => [
      `${long}${id}`,
      `${id}${long}`,
      `${long}${id}${long}`,
    ]).flat();
    expect(new Set(keys.map(stored)).size).toBe(keys.length);
  });

  it("tells a user's key that looks like a shortened one from the real one", async () => {
    const { cacheme, remote, clock } = await space();
    const long = "x".repeat(300);
    const [, , posing] = stored(long).split(":") as [string, string, string];
    expect(posing).toMatch(/^~sha256~/);
    const [one, two] = [await cacheme.get(new Keyed(long)), await cacheme.get(new Keyed(posing))];
    expect(one).not.toBe(two);
    expect(remote.records.size).toBe(2);
    clock.advance(60_000);
    expect(await cacheme.getAll([new Keyed(long), new Keyed(posing)])).toEqual([one, two]);
  });

  it("is invalidated in its shortened form", async () => {
    const { cacheme, remote } = await space();
    await cacheme.get(new Keyed("x".repeat(300)));
    await cacheme.invalidate(new Keyed("x".repeat(300)));
    expect(remote.records.size).toBe(0);
  });

  it("does not depend on the process", async () => {
    const { cacheme, clock, remote } = await space();
    const node = new Keyed(`${"long ".repeat(80)}end`);
    await cacheme.get(node);
    const other = new Cacheme({ clock });
    await other.registerStorage("remote", remote);
    await other.registerStorage("local", memory());
    expect((await other.peek(node))?.origin).toBe("remote");
    // The literal result, because a change of the hash would lose every long key that is stored.
    expect(stored("x".repeat(300))).toBe(
      "cacheme:keyed:~sha256~DU4sqenLztenpTgOsp4aN4O5ttDbct42oQUQOOHB-8c:1",
    );
  });
});

describe("an entry is bound to its key", () => {
  const wholeKey = (prefix: string, name: string, key: string, version: string) =>
    storageKey(`${escapedPrefix(prefix)}:${name}:`, key, `:${version}`);

  it("has a storage key that no other prefix, name, key and version produce", () => {
    // Keys of few words, joined by strings that look like the border of two parts. Many of them run
    // together in the same way.
    const words = fc.array(fc.constantFrom("a", "~sha256~"), { minLength: 1, maxLength: 3 });
    const joint = fc.constantFrom(":", "%3A");
    const joined = fc.tuple(words, joint).map(([each, between]) => each.join(between));
    const key = fc.oneof({ weight: 9, arbitrary: joined }, fc.constant("a".repeat(300)));
    const parts = fc.tuple(joined, fc.constantFrom("a", "a%3Aa"), key, fc.constantFrom("a", "a%3Aa"));
    const sets = fc.uniqueArray(parts, { minLength: 2, maxLength: 50, selector: (each) => each.join("\n") });
    fc.assert(
      fc.property(sets, (each) => {
        expect(new Set(each.map((one) => wholeKey(...one))).size).toBe(each.length);
      }),
      { numRuns: 500 },
    );
  });

  it("tells the prefix a:b with the node c from the prefix a with the node b, and %3A in a prefix from a colon", () => {
    expect(wholeKey("a:b", "c", "d", "1")).toBe("a%3Ab:c:d:1");
    expect(wholeKey("a", "b", "c:d", "1")).toBe("a:b:c:d:1");
    expect(wholeKey("a%3Ab", "c", "d", "1")).toBe("a%253Ab:c:d:1");
  });

  it("does not read a space's entries if its prefix and node run together in the same way", async () => {
    const { clock, remote } = await space();
    const cacheme = new Cacheme({ clock, prefix: "a:b" });
    await cacheme.registerStorage("remote", remote);
    await cacheme.get(singleOf("c", "d", "another tenant's")());
    const other = new Cacheme({ clock, prefix: "a" });
    await other.registerStorage("remote", remote);
    expect(await other.get(singleOf("b", "c:d", "its own")())).toBe("its own");
    expect(remote.records.size).toBe(2);
  });

  it("is a miss if its bytes were moved to another key", async () => {
    const { cacheme, clock, remote } = await space();
    await cacheme.getAll([new Keyed("poor"), new Keyed("rich")]);
    const [poor, rich] = ["cacheme:keyed:poor:1", "cacheme:keyed:rich:1"];
    remote.records.set(poor, remote.records.get(rich)!);
    clock.advance(60_000);
    expect(await cacheme.peek(new Keyed("poor"))).toBeUndefined();
    expect(await cacheme.get(new Keyed("poor"))).toMatch(/^value of poor/);
  });

  it("has no name that begins with a tilde: generations and leases have those", async () => {
    const { cacheme } = await space();
    class Reserved extends Keyed {
      static override meta: NodeMeta = { name: "~tag", caches: twoTiers };
    }
    expect(await reason(cacheme.get(new Reserved("1")))).toMatchObject({
      code: "CACHEME_INVALID_META",
      message: expect.stringMatching(/name "~tag".*does not begin with "~"/),
    });
  });

  it("has a prefix of at most 60 bytes, with a colon counted as the three bytes that it takes in keys", () => {
    expect(() => new Cacheme({ prefix: ":".repeat(20) })).not.toThrow();
    expect(() => new Cacheme({ prefix: ":".repeat(21) })).toThrow(/a colon and a percent sign count as 3/);
  });
});

describe("a key in a message", () => {
  it("is cut to 100 characters, never within a pair, with its length", () => {
    expect(shownKey("k".repeat(100))).toBe(`"${"k".repeat(100)}"`);
    expect(shownKey("k".repeat(1_000_000))).toBe(`"${"k".repeat(100)}"… (1,000,000 characters)`);
    expect(shownKey(`${"k".repeat(99)}😀`)).toBe(`"${"k".repeat(99)}"… (101 characters)`);
    expect(nodeLabel("user", "k".repeat(200))).toBe(`user:${"k".repeat(100)}… (200 characters)`);
  });

  it("is escaped if it could forge a line, turn its direction or end its quotes", () => {
    expect(shownKey('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(shownKey("a\nb\u001b[31m\u2028\u202e\ud800")).toBe(
      '"a\\u{a}b\\u{1b}[31m\\u{2028}\\u{202e}\\u{d800}"',
    );
    expect(bareKey("žluť 😀")).toBe("žluť 😀");
  });

  it("is escaped and cut in the errors that name it", async () => {
    const { cacheme } = await space();
    const long = "x".repeat(100_000);
    class Loadless extends Node<string> {
      static override meta: NodeMeta = { name: "loadless", caches: twoTiers };
      key() {
        return `\u2028${long}`;
      }
    }
    const errors = [
      await reason(cacheme.get(new Loadless())),
      await reason(cacheme.get(new Keyed(`\u0007${long}`))),
      await reason(cacheme.get(new Keyed(long), { maxAge: -1 })),
    ];
    for (const error of errors) {
      expect(error).toBeInstanceOf(CachemeError);
      expect((error as Error).message.length).toBeLessThan(500);
      expect((error as Error).message).toContain("(100,00");
      expect((error as Error).message).not.toMatch(/[\p{Cc}\p{Zl}]/u);
    }
  });
});
