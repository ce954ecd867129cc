import { storageCompliance } from "../src/node.js";
import { ReferenceStorage } from "./reference-storage.js";

/** What is lacking has to be said, and a lazy storage says it too. */
class Small extends ReferenceStorage {
  readonly lacks = {
    leases: "This storage is made for a test of what is not offered.",
    generations: "This storage is made for a test of what is not offered.",
    scan: "This storage is made for a test of what is not offered.",
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
