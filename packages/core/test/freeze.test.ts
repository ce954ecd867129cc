import { createRequire } from "node:module";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import * as namespace from "../src/entry/freeze.js";
import { deepFreeze, noteFrozen } from "../src/entry/freeze.js";

/** Required, because the types of MobX need a newer library of TypeScript's than ours. */
const { configure, observable }: MobX = createRequire(import.meta.url)("mobx");

interface MobX {
  configure(options: { useProxies: "always" | "never"; enforceActions?: "never" }): void;
  observable<T>(value: T): T;
}

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

  it("does not look into a value that a decoder has frozen", () => {
    const values = [{ inner: {} }, [{}], [1, [2]]];
    for (const value of values) noteFrozen(value);

    for (const value of values) expect(Object.isFrozen(deepFreeze(value))).toBe(false);
  });

  it("returns values that are not objects unchanged", () => {
    for (const value of [undefined, null, 0, "text", true, 1n, Symbol.iterator])
      expect(deepFreeze(value)).toBe(value);
    const load = () => ({ a: 1 });
    expect(Object.isFrozen(deepFreeze(load))).toBe(false);
  });

  it("leaves other objects and their contents alone", () => {
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

  it("freezes the contents of an object that is frozen already", () => {
    const value = Object.freeze({ inner: Object.freeze([{ a: 1 }]) });

    deepFreeze(value);

    expect(Object.isFrozen(value.inner[0])).toBe(true);
  });

  it("ends on values that contain themselves", () => {
    const value: Record<string, unknown> = { list: [] };
    value["self"] = value;
    (value["list"] as unknown[]).push(value, value["list"]);

    deepFreeze(value);

    expect(Object.isFrozen(value)).toBe(true);
    expect(Object.isFrozen(value["list"])).toBe(true);
  });

  it("visits an object once, however often it occurs", () => {
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

  it("leaves module namespaces alone, wherever they are", () => {
    const value = { modules: [namespace], own: { a: 1 } };

    expect(deepFreeze(namespace)).toBe(namespace);
    deepFreeze(value);

    expect([Object.isFrozen(value), Object.isFrozen(value.own)]).toEqual([true, true]);
  });

  it.each(["always", "never"] as const)("leaves MobX observables working, with proxies %s", (useProxies) => {
    configure({ useProxies, enforceActions: "never" });
    const state = observable({ count: 1, list: [1], inner: { a: 1 } });

    deepFreeze({ state, again: [state] });
    deepFreeze(state);
    state.count = 2;
    state.list.push(2);
    state.inner.a = 2;

    expect([state.count, state.list.length, state.inner.a]).toEqual([2, 2, 2]);
    configure({ useProxies: "always" });
  });

  it("neither freezes nor reads proxies, even revoked ones", () => {
    const asked: string[] = [];
    const traps = new Proxy({}, { get: (_target, trap) => void asked.push(String(trap)) });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const value = { proxied: new Proxy({}, traps), proxy };

    deepFreeze(value);
    deepFreeze(value.proxied);

    expect(Object.isFrozen(value)).toBe(true);
    expect(asked).toEqual([]);
  });

  it("leaves an object alone if its getter throws, and freezes the others", () => {
    const throwing = {
      get broken() {
        return expect.fail("never read");
      },
    };
    const value = { throwing, other: { a: 1 } };

    deepFreeze(value);

    expect([value, throwing, value.other].map(Object.isFrozen)).toEqual([true, false, true]);
  });

  it("freezes plain objects and arrays of another realm", () => {
    const value = runInNewContext("({ list: [{ a: 1 }] })");

    deepFreeze(value);

    expect([value, value.list, value.list[0]].every(Object.isFrozen)).toBe(true);
  });
});
