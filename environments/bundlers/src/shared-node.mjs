import { Node } from "cacheme";

/** Returns the number of loads of this copy's class. */
export const counted = { loads: 0 };

/** A module in both bundles. */
export class SharedNode extends Node {
  static meta = { name: "shared", caches: [{ storage: "local" }] };

  key() {
    return "1";
  }

  load() {
    counted.loads++;
    return { loadedBy: "the bundle that was asked first" };
  }
}
