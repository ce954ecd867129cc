import { pack } from "msgpackr";
import { describe, expect, it } from "vitest";
import { msgpack } from "../../src/serializer/msgpack.js";

describe("a few bytes", () => {
  it("do not make msgpack() take hundreds of megabytes for arrays of holes", () => {
    // A table (its mark, then its parts) of empty lists that claim to have 16 million elements.
    const table = [[2, ...Array.from({ length: 30 }, (_, place) => place + 1)]];
    for (let place = 0; place < 30; place++) table.push([3, 16_000_000]);
    const bytes = Buffer.concat([Buffer.of(0xc1), pack(table)]);
    const before = process.memoryUsage().heapUsed;

    const value = msgpack().decode(bytes) as unknown[][];
    const taken = process.memoryUsage().heapUsed - before;

    expect(value.map((array) => array.length)).toEqual(new Array(30).fill(16_000_000));
    expect(taken).toBeLessThan(200 * 2 ** 20); // 30 times 128 MB otherwise
  });

  it("that claim an impossible list length are not read", () => {
    const bytes = Buffer.concat([Buffer.of(0xc1), pack([[3, 2 ** 40]])]);

    expect(() => msgpack().decode(bytes)).toThrow(RangeError);
  });
});
