import { describe, expect, it } from "vitest";
import { deepFreeze } from "../src/freeze.js";

describe("deepFreeze", () => {
  it("freezes plain objects and arrays at every level, and returns the value itself", () => {
    const value = { a: [{ b: 1 }], c: { d: { e: [] } }, bare: Object.assign(Object.create(null), { f: {} }) };

    expect(deepFreeze(value)).toBe(value);

    for (const each of [
      value,
      value.a,
      value.a[0],
      value.c,
      value.c.d,
      value.c.d.e,
      value.bare,
      value.bare.f,
    ]) {
      expect(Object.isFrozen(each)).toBe(true);
    }
    expect(() => value.a.push({ b: 2 })).toThrow(TypeError);
  });

  it("returns what is no object as it is", () => {
    for (const value of [undefined, null, 0, "text", true, 1n, Symbol.iterator])
      expect(deepFreeze(value)).toBe(value);
    const load = () => ({ a: 1 });
    expect(Object.isFrozen(deepFreeze(load))).toBe(false);
  });

  it("leaves other objects and what they hold alone", () => {
    class Counter {
      count = { by: 1 };
    }
    const held = { inMap: {} };
    const value = {
      counter: new Counter(),
      at: new Date(0),
      map: new Map([["a", held]]),
      bytes: new Uint8Array([1]),
      buffer: Buffer.from("a"),
    };

    deepFreeze(value);

    value.counter.count.by = 2;
    value.at.setTime(5);
    value.map.set("b", held);
    value.bytes[0] = 9;
    value.buffer[0] = 9;
    expect(Object.isFrozen(value)).toBe(true);
    expect([value.counter, value.counter.count, value.at, value.map, held].some(Object.isFrozen)).toBe(false);
    expect(value.bytes[0]).toBe(9);
  });

  it("freezes what is in an object that is frozen already", () => {
    const value = Object.freeze({ inner: Object.freeze([{ a: 1 }]) });

    deepFreeze(value);

    expect(Object.isFrozen(value.inner[0])).toBe(true);
  });

  it("comes to an end with values that contain themselves", () => {
    const value: Record<string, unknown> = { list: [] };
    value["self"] = value;
    (value["list"] as unknown[]).push(value, value["list"]);

    deepFreeze(value);

    expect(Object.isFrozen(value)).toBe(true);
    expect(Object.isFrozen(value["list"])).toBe(true);
  });

  it("visits an object that stands in many places once", () => {
    let value: unknown[] = ["leaf"];
    for (let level = 0; level < 100; level++) value = [value, value];

    expect(Object.isFrozen(deepFreeze(value)[1])).toBe(true);
  });

  it("does not overflow the stack on a long chain", () => {
    const last = { end: true };
    let value: object = last;
    for (let level = 0; level < 200_000; level++) value = { next: value };

    deepFreeze(value);

    expect(Object.isFrozen(last)).toBe(true);
  });
});
