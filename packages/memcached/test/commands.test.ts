import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Answer, AnswerParser, ProtocolError } from "../src/answers.js";
import { Batch } from "../src/commands.js";

/** Parses the pieces. */
function parsed(...pieces: readonly (string | Uint8Array)[]): Answer[] {
  const answers: Answer[] = [];
  const parser = new AnswerParser((answer) => answers.push(answer));
  for (const piece of pieces)
    parser.push(typeof piece === "string" ? Buffer.from(piece, "latin1") : Buffer.from(piece));
  return answers;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    if (end > start) pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

describe("AnswerParser", () => {
  it("reads a value with its flags, its time, its number and its CAS", () => {
    const [answer, ...rest] = parsed("VA 5 f11 t3599 c18446744073709551615 O42 W\r\nhello\r\n");
    expect(rest).toEqual([]);
    expect(answer).toMatchObject({
      code: "VA",
      flags: 11,
      left: 3599,
      cas: "18446744073709551615",
      opaque: 42,
      won: true,
    });
    expect(answer?.bytes?.toString()).toBe("hello");
  });

  it("reads a value by its length, whatever bytes it has", () => {
    const value = "\r\nEN\r\nVA 5\r\n";
    expect(parsed(`VA ${value.length} f1\r\n${value}\r\nHD\r\n`).map(({ code }) => code)).toEqual([
      "VA",
      "HD",
    ]);
  });

  it("reads values without bytes, misses, and items without an end", () => {
    const [empty, miss, numbered, kept] = parsed("VA 0 f1 t-1\r\n\r\nEN\r\nEN O7\r\nVA 1 t-1 Z\r\nx\r\n");
    expect(empty?.bytes?.length).toBe(0);
    expect(empty?.left).toBe(-1);
    expect(miss).toMatchObject({ code: "EN", bytes: undefined, opaque: -1, won: false });
    expect(numbered).toMatchObject({ code: "EN", opaque: 7 });
    expect(kept).toMatchObject({ left: -1, won: false });
  });

  it("passes other lines on unchanged", () => {
    const lines = [
      "ERROR",
      "SERVER_ERROR out of memory storing object",
      "STAT version 1.6.18",
      "END",
      "STORED",
      "V",
    ];
    expect(parsed(`${lines.join("\r\n")}\r\n`).map(({ code }) => code)).toEqual(lines);
  });

  it("reads every answer if each byte comes alone", () => {
    const conversation = Buffer.from(
      "VA 5 f11 t60 O1\r\na\r\nbc\r\nEN\r\nHD c7\r\nVA 0 f1\r\n\r\nSTAT a b\r\nEND\r\nMN\r\n",
      "latin1",
    );
    const alone = parsed(...Array.from(conversation, (byte) => Uint8Array.of(byte)));
    expect(alone).toEqual(parsed(conversation));
    expect(alone.map(({ code }) => code)).toEqual(["VA", "EN", "HD", "VA", "STAT a b", "END", "MN"]);
  });

  it("reads the same answers from pieces of any size", () => {
    const answer = fc.oneof(
      fc
        .constantFrom(
          "EN\r\n",
          "HD\r\n",
          "HD c12\r\n",
          "NF\r\n",
          "SERVER_ERROR object too large for cache\r\n",
          "STAT a b\r\n",
        )
        .map((line) => Buffer.from(line)),
      fc
        .tuple(
          fc.uint8Array({ maxLength: 300 }),
          fc.nat(2 ** 31),
          fc.integer({ min: -1, max: 2 ** 31 }),
          fc.nat(1e6),
        )
        .map(([value, flags, left, opaque]) =>
          Buffer.concat([
            Buffer.from(`VA ${value.length} f${flags} t${left} O${opaque}\r\n`),
            value,
            Buffer.from("\r\n"),
          ]),
        ),
    );
    fc.assert(
      fc.property(
        fc.array(answer, { maxLength: 20 }),
        fc.array(fc.nat(10_000), { maxLength: 30 }),
        (answers, places) => {
          const whole = Buffer.concat(answers);
          const came = parsed(...cut(whole, places));
          expect(came).toEqual(parsed(whole));
          expect(came.length).toBe(answers.length);
        },
      ),
    );
  });

  it("keeps no large piece alive for a small value in it", () => {
    const [, second] = parsed(
      Buffer.concat([
        Buffer.from("VA 60000 f1\r\n"),
        Buffer.alloc(60_000),
        Buffer.from("\r\nVA 3 f1\r\nabc\r\n"),
      ]),
    );
    expect(second?.bytes?.toString()).toBe("abc");
    expect(second?.bytes?.buffer.byteLength).toBeLessThanOrEqual(8192);
  });

  it.each([
    ["a value that is longer than it said", "VA 2 f1\r\nabc\r\n"],
    ["a value without a length", "VA f1\r\n\r\n"],
    ["a value with an impossible length", "VA 99999999999 f1\r\n"],
    ["a line that does not end", "x".repeat(20_000)],
  ])("refuses %s", (_, text) => {
    expect(() => parsed(text)).toThrow(ProtocolError);
  });

  it("reads random bytes as lines, or fails with a ProtocolError", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (pieces) => {
        try {
          parsed(...pieces);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});

describe("Batch", () => {
  const bytesOf = (batch: Batch): Buffer =>
    Buffer.concat(
      batch.chunks().map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk)),
    );

  it("puts a line's end behind each command, and behind bytes", () => {
    const batch = new Batch();
    batch.command("mg a v");
    batch.store("b", "T5 F7", [Buffer.from("he"), Buffer.from("llo")]);
    batch.command("mn");
    expect(bytesOf(batch).toString()).toBe("mg a v\r\nms b 5 T5 F7\r\nhello\r\nmn\r\n");
    expect(batch.commands).toBe(3);
  });

  it("is one string if there are no bytes", () => {
    const batch = new Batch();
    for (const name of ["a", "b"]) batch.command(`md ${name}`);
    expect(batch.chunks()).toEqual(["md a\r\nmd b\r\n"]);
  });

  it("passes large values on uncopied, and joins small ones", () => {
    const large = new Uint8Array(100_000).fill(7);
    const batch = new Batch();
    for (const value of [Buffer.from("small"), large, Buffer.from("also small"), large])
      batch.store("k", "F1", [value]);
    const chunks = batch.chunks();
    expect(chunks.filter((chunk) => chunk === large).length).toBe(2);
    expect(chunks.length).toBe(5);
    const expected = "ms k 5 F1\r\nsmall\r\nms k 100000 F1\r\n";
    expect(bytesOf(batch).toString("latin1", 0, expected.length)).toBe(expected);
  });

  it("sends every value unchanged, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40_000), { maxLength: 6 }), (lengths) => {
        // Each value has other bytes at each place.
        const values = lengths.map((length, index) =>
          Uint8Array.from({ length }, (_, at) => 31 * at + index),
        );
        const batch = new Batch();
        for (const value of values) batch.store("k", "F1", [value]);
        const expected = values.flatMap((value) => [
          Buffer.from(`ms k ${value.length} F1\r\n`),
          Buffer.from(value),
          Buffer.from("\r\n"),
        ]);
        expect(bytesOf(batch).equals(Buffer.concat(expected))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
