import type { Node } from "../../src/index.js";
import type { Measured, Setup } from "./cost.js";

/** A measured path: the stored keys that it needs, and the calls. */
export interface Path {
  /** The number of keys that every tier holds before; default: none. */
  readonly stored?: number;
  /** Whether the local tiers have dropped them again. */
  readonly forgotten?: boolean;
  readonly calls: (measured: Measured) => void;
  /** The set-ups of the path. Default: all. */
  readonly setups?: readonly Setup[];
}

function repeat(count: number, call: (place: number) => unknown): void {
  for (let place = 0; place < count; place++) call(place);
}

function list(count: number, node: (id: number) => Node<string>): Node<string>[] {
  return Array.from({ length: count }, (_, id) => node(id));
}

const signal = new AbortController().signal;

/** Every path through the package, by its name. */
export const paths = {
  "get of a key that the nearest tier has": { stored: 1, calls: ({ cacheme, node }) => cacheme.get(node()) },
  "get of a key that a remote tier has": {
    stored: 1,
    forgotten: true,
    setups: ["local and remote"],
    calls: ({ cacheme, node }) => cacheme.get(node()),
  },
  "100 gets of a key that a remote tier has": {
    stored: 1,
    forgotten: true,
    setups: ["remote", "local and remote"],
    calls: ({ cacheme, node }) => repeat(100, () => cacheme.get(node())),
  },
  "100 gets of as many keys that a remote tier has": {
    stored: 100,
    forgotten: true,
    setups: ["remote", "local and remote"],
    calls: ({ cacheme, node }) => repeat(100, (id) => cacheme.get(node(id))),
  },
  "get of a key that no tier has": { calls: ({ cacheme, node }) => cacheme.get(node()) },
  "100 gets of a key that no tier has": {
    calls: ({ cacheme, node }) => repeat(100, () => cacheme.get(node())),
  },
  "100 gets of as many keys that no tier has": {
    calls: ({ cacheme, node }) => repeat(100, (id) => cacheme.get(node(id))),
  },
  "getAll of 1,000 keys that the nearest tier has": {
    stored: 1_000,
    calls: ({ cacheme, node }) => cacheme.getAll(list(1_000, node)),
  },
  "getAll of 1,000 keys that no tier has": {
    calls: ({ cacheme, node }) => cacheme.getAll(list(1_000, node)),
  },
  "getAll of 1,000 keys that loadAll loads": {
    calls: ({ cacheme, bulkNode }) => cacheme.getAll(list(1_000, bulkNode)),
  },
  "getAllSettled of 1,000 keys that the nearest tier has": {
    stored: 1_000,
    calls: ({ cacheme, node }) => cacheme.getAllSettled(list(1_000, node)),
  },
  "getAllSettled of 1,000 keys that no tier has": {
    calls: ({ cacheme, node }) => cacheme.getAllSettled(list(1_000, node)),
  },
  "a refresh": { stored: 1, calls: ({ cacheme, node }) => cacheme.refresh(node()) },
  "100 refreshes of a key": {
    stored: 1,
    calls: ({ cacheme, node }) => repeat(100, () => cacheme.refresh(node())),
  },
  "a set": { calls: ({ cacheme, node }) => cacheme.set(node(), "set") },
  "100 sets of a key": { calls: ({ cacheme, node }) => repeat(100, () => cacheme.set(node(), "set")) },
  "setAll of 100 keys": {
    calls: ({ cacheme, node }) =>
      cacheme.setAll(list(100, node).map((each): readonly [Node<string>, string] => [each, "set"])),
  },
  "an invalidation": { stored: 1, calls: ({ cacheme, node }) => cacheme.invalidate(node()) },
  "500 invalidations of a key": {
    stored: 1,
    calls: ({ cacheme, node }) => repeat(500, () => cacheme.invalidate(node())),
  },
  "an invalidation of 500 keys": {
    stored: 500,
    calls: ({ cacheme, node }) => cacheme.invalidate(list(500, node)),
  },
  "a peek": { stored: 1, calls: ({ cacheme, node }) => cacheme.peek(node()) },
  "a peek at a key that no tier has": { calls: ({ cacheme, node }) => cacheme.peek(node()) },
  peekLocal: { stored: 1, calls: ({ cacheme, node }) => cacheme.peekLocal(node()) },
  "getSync of a key that the nearest tier has": {
    stored: 1,
    setups: ["local"],
    calls: ({ cacheme, node }) => cacheme.getSync(node(), { load: () => "unused" }),
  },
  "getSync of a key that no tier has": {
    setups: ["local"],
    calls: ({ cacheme, node }) => cacheme.getSync(node(), { load: () => "loaded" }),
  },
  "get of a key whose load reads another one": {
    calls: ({ cacheme, outerNode }) => cacheme.get(outerNode()),
  },
  "get of a key whose load reads one that the nearest tier has": {
    stored: 1,
    calls: ({ cacheme, outerNode }) => cacheme.get(outerNode()),
  },
  "get with a signal of a key that the nearest tier has": {
    stored: 1,
    calls: ({ cacheme, node }) => cacheme.get(node(), { signal }),
  },
  "get with a signal of a key that no tier has": {
    calls: ({ cacheme, node }) => cacheme.get(node(), { signal }),
  },
  "get with a maxAge that the nearest tier keeps": {
    stored: 1,
    calls: ({ cacheme, node }) => cacheme.get(node(), { maxAge: 1 }),
  },
  "get with a maxAge of a key that no tier has": {
    calls: ({ cacheme, node }) => cacheme.get(node(), { maxAge: 1 }),
  },
  "get with a maxAge beside a plain get of a key that no tier has": {
    calls: ({ cacheme, node }) => {
      void cacheme.get(node(), { maxAge: 1 });
      void cacheme.get(node());
    },
  },
  "100 gets with as many maxAges of a key that no tier has": {
    calls: ({ cacheme, node }) => repeat(100, (age) => cacheme.get(node(), { maxAge: age + 1 })),
  },
} satisfies Record<string, Path>;

export type PathName = keyof typeof paths;
