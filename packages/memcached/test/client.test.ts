import { describe, expect, it } from "vitest";
import { Client } from "../src/client.js";
import { settings } from "../src/options.js";

const keys = Array.from({ length: 30_000 }, (_, index) => `app:user:${index}`);
const servers = (...weights: number[]) =>
  weights.map((weight, index) => ({ host: `10.0.0.${index}`, port: 11_211, weight }));

/** Finds the server of each key. Nothing connects. */
function serversOf(pool: ReturnType<typeof servers>, some: readonly string[] = keys): (string | undefined)[] {
  const client = new Client(settings({ servers: pool }, {}));
  return some.map((key) => client.serverOf(key)?.name);
}

function shares(...weights: number[]): number[] {
  const found = serversOf(servers(...weights));
  return weights.map(
    (_, index) => found.filter((name) => name === `10.0.0.${index}:11211`).length / keys.length,
  );
}

describe("the servers of a pool", () => {
  it("each get their share of the keys, by weight", () => {
    for (const [index, share] of shares(1, 1, 1, 1, 1).entries()) {
      expect(share, `server ${index}`).toBeGreaterThan(0.18);
      expect(share, `server ${index}`).toBeLessThan(0.22);
    }
    const [one = 0, two = 0, four = 0] = shares(1, 2, 4);
    expect(two / one).toBeGreaterThan(1.8);
    expect(two / one).toBeLessThan(2.2);
    expect(four / two).toBeGreaterThan(1.8);
    expect(four / two).toBeLessThan(2.2);
  });

  it("give about one key in N to a server that is added, and none to each other", () => {
    const before = serversOf(servers(1, 1, 1));
    const moved = serversOf(servers(1, 1, 1, 1)).filter((name, index) => name !== before[index]);
    expect(new Set(moved)).toEqual(new Set(["10.0.0.3:11211"]));
    expect(moved.length / keys.length).toBeGreaterThan(0.23);
    expect(moved.length / keys.length).toBeLessThan(0.27);
  });

  it("have the same keys in every order of the servers", () => {
    const [first, ...others] = servers(1, 1, 1);
    expect(serversOf([...others, first!])).toEqual(serversOf([first!, ...others]));
  });

  it("keep their keys with an update of this package", () => {
    const found = serversOf(servers(1, 1, 1), keys.slice(0, 12));
    expect(found.map((name) => name?.at("10.0.0.".length))).toEqual([..."021202221020"]);
  });
});
