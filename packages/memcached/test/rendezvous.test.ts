import { describe, expect, it } from "vitest";
import { Rendezvous } from "../src/rendezvous.js";

const keys = Array.from({ length: 30_000 }, (_, index) => `app:user:${index}`);
const servers = (...weights: number[]) =>
  weights.map((weight, index) => ({ name: `10.0.0.${index}:11211`, weight }));

function shares(rendezvous: Rendezvous, count: number): number[] {
  const had = new Array<number>(count).fill(0);
  for (const key of keys) {
    const place = rendezvous.placeOf(key);
    had[place] = (had[place] ?? 0) + 1;
  }
  return had.map((number) => number / keys.length);
}

describe("Rendezvous", () => {
  it("gives every server its share, by weight", () => {
    for (const [index, share] of shares(new Rendezvous(servers(1, 1, 1, 1, 1)), 5).entries()) {
      expect(share, `server ${index}`).toBeGreaterThan(0.18);
      expect(share, `server ${index}`).toBeLessThan(0.22);
    }
    const [one = 0, two = 0, four = 0] = shares(new Rendezvous(servers(1, 2, 4)), 3);
    expect(two / one).toBeGreaterThan(1.8);
    expect(two / one).toBeLessThan(2.2);
    expect(four / two).toBeGreaterThan(1.8);
    expect(four / two).toBeLessThan(2.2);
  });

  it("moves about one key in N to a server that is added, and none between the others", () => {
    const before = new Rendezvous(servers(1, 1, 1));
    const after = new Rendezvous(servers(1, 1, 1, 1));
    let moved = 0;
    for (const key of keys) {
      if (before.placeOf(key) === after.placeOf(key)) continue;
      moved++;
      expect(after.placeOf(key)).toBe(3);
    }
    expect(moved / keys.length).toBeGreaterThan(0.23);
    expect(moved / keys.length).toBeLessThan(0.27);
  });

  it("hangs on the servers' names, not on their order", () => {
    const [a, b, c] = servers(1, 1, 1) as [
      { name: string; weight: number },
      { name: string; weight: number },
      { name: string; weight: number },
    ];
    const one = new Rendezvous([a, b, c]);
    const other = new Rendezvous([c, a, b]);
    const names = [a, b, c].map(({ name }) => name);
    const turned = [c, a, b].map(({ name }) => name);
    for (const key of keys.slice(0, 1000)) expect(names[one.placeOf(key)]).toBe(turned[other.placeOf(key)]);
  });

  it("stays as it is: keys must not move with an update of this package", () => {
    const rendezvous = new Rendezvous(servers(1, 1, 1));
    expect(keys.slice(0, 12).map((key) => rendezvous.placeOf(key))).toEqual([
      1, 0, 1, 2, 0, 0, 2, 1, 2, 1, 2, 2,
    ]);
  });
});
