import { storageCompliance } from "../src/node.js";
import { ReferenceStorage } from "./reference-storage.js";

/** Gives a reason for each missing capability, as a storage must. */
class Small extends ReferenceStorage {
  readonly lacks = {
    leases: "This storage tests missing capabilities.",
    generations: "This storage tests missing capabilities.",
    scan: "This storage tests missing capabilities.",
  };
}

const shared = new Map();

storageCompliance({
  name: "with node:test",
  create: () =>
    Object.defineProperties(new Small(shared), {
      leases: { value: undefined },
      generations: { value: undefined },
      scan: { value: undefined },
    }),
  capabilities: { leases: false, generations: false, scan: false },
});
