import { replicated, sharded } from "cacheme";
import { storageCompliance } from "../src/vitest.js";
import { ReferenceStorage } from "./reference-storage.js";

const parts = [new Map(), new Map(), new Map()];

storageCompliance({
  name: "cacheme, sharded",
  create: () =>
    sharded(parts.map((part, index) => ({ storage: new ReferenceStorage(part), name: `shard ${index}` }))),
  capabilities: { generations: false },
});

const copies = [new Map(), new Map()];

storageCompliance({
  name: "cacheme, replicated",
  create: () => replicated(copies.map((copy) => new ReferenceStorage(copy))),
  capabilities: { leases: false, generations: false },
});
