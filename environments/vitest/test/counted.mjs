import { defineNode } from "cacheme";

let loads = 0;

/** Starts the count of loads again. */
export function restart() {
  loads = 0;
}

const load = () => ++loads;

/** Nodes in memory and in files. Their values are the numbers of their loads. */
export const counted = defineNode({
  name: "counted",
  caches: [{ storage: "local", ttl: "1m" }],
  key: (id) => id,
  load,
});
export const filed = defineNode({ name: "filed", caches: [{ storage: "files" }], key: (id) => id, load });
