import type { NodeMeta } from "../../src/index.js";

const local = { storage: "local", ttl: 50 } as const;
const near = { storage: "near", ttl: 100 } as const;
const far = { storage: "far", ttl: 200 } as const;

/** The tiers of a simulation. */
export const setups = {
  "local only": [local],
  "remote only": [far],
  "local and remote": [local, far],
  "two remotes": [near, far],
  "local and two remotes": [local, near, far],
} satisfies Record<string, NodeMeta["caches"]>;

export type Setup = keyof typeof setups;
