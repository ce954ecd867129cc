import type { Setup } from "../../src/simulation/setup.js";

const hour = 3_600_000;
const local = { storage: "local", ttl: 400 } as const;
const long = { storage: "local", ttl: 3_000 } as const;
const near = { storage: "near", ttl: 3_000 } as const;
const far = { storage: "far", ttl: 6_000 } as const;
const brief = { storage: "local", ttl: 100 } as const;
const short = { storage: "far", ttl: 1_000 } as const;
const stale = { staleWhileRevalidate: 400, staleBackOff: 1_000 } as const;
const staleIfError = { ...stale, staleIfError: 4_000 } as const;
const ahead = { refreshAhead: { threshold: 0.5 }, staleBackOff: undefined } as const;

/** The clusters that the project's own schedules try. */
export const setups: Readonly<Record<string, Setup>> = {
  "two processes, remote": { processes: 2, caches: [far] },
  "three processes, remote": { processes: 3, caches: [far] },
  "two processes, local and remote": { processes: 2, caches: [local, far] },
  "two processes, local and remote, bus": { processes: 2, caches: [local, far], bus: true },
  "three processes, local and remote, bus": { processes: 3, caches: [local, far], bus: true },
  "two processes, long-lived local and remote, bus": { processes: 2, caches: [long, far], bus: true },
  "two processes, two remotes": { processes: 2, caches: [near, far] },
  "two processes, local and two remotes, bus": { processes: 2, caches: [local, near, far], bus: true },
  "two processes, remote, tags": { processes: 2, caches: [far], tags: "before" },
  "two processes, remote, tags after the load": { processes: 2, caches: [far], tags: "after" },
  "two processes, local and remote, tags": { processes: 2, caches: [local, far], tags: "before" },
  "two processes, stale, remote": { processes: 2, caches: [short], freshness: stale },
  "two processes, stale, local and remote, bus": {
    processes: 2,
    caches: [brief, short],
    bus: true,
    freshness: stale,
  },
  "two processes, stale, local and remote, tags": {
    processes: 2,
    caches: [brief, short],
    tags: "before",
    freshness: stale,
  },
  "three processes, stale if error, local and remote, bus": {
    processes: 3,
    caches: [brief, short],
    bus: true,
    freshness: staleIfError,
  },
  "two processes, stale after a soft time, local and remote": {
    processes: 2,
    caches: [brief, short],
    freshness: staleIfError,
    loadTimeout: { soft: 50, hard: 2_000 },
  },
  "two processes, refreshed ahead, remote": { processes: 2, caches: [short], freshness: ahead },
  "two processes, refreshed ahead and stale, local and remote, bus": {
    processes: 2,
    caches: [brief, short],
    bus: true,
    freshness: { ...stale, ...ahead, staleBackOff: 1_000 },
  },
  "two processes, own ttls, local and remote": {
    processes: 2,
    caches: [brief, short],
    retention: { ttl: (value) => (value % 2 === 0 ? 300 : 1_000), jitter: 0.3 },
  },
  "two processes, only some values kept, remote": {
    processes: 2,
    caches: [short],
    retention: { shouldCache: (value) => value % 3 > 0 },
  },
  "two processes, errors kept, local and remote": {
    processes: 2,
    caches: [brief, short],
    retention: { errorTtl: 300 },
  },
  "two processes, saves through, local and remote, bus": {
    processes: 2,
    caches: [local, far],
    bus: true,
    write: "through",
  },
  "two processes, saves around, local and remote": { processes: 2, caches: [local, far], write: "around" },
  "clocks apart, remote": { processes: 2, caches: [far], ahead: [hour, -hour] },
};
