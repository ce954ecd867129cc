import { Node } from "cacheme";

/** How often the class of this copy has loaded. */
export const counted = { loads: 0 };

/** A module that both bundles hold. */
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
