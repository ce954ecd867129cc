import { Node, type NodeMeta } from "../../src/index.js";

/** Makes a node class without a load, whose only key is "k". */
export function bareNode(meta: NodeMeta) {
  return class Bare extends Node<string> {
    static override meta: NodeMeta = { name: "bare", ...meta };
    key() {
      return "k";
    }
  };
}
