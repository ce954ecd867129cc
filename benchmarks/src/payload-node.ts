import type { Node, NodeMeta } from "cacheme";
import type { Payload, PayloadNodeClass, PayloadSources } from "./payload.js";

/** Makes a node class on the `Node` of a build. */
export function payloadNode(
  Base: typeof Node,
  policy: Omit<NodeMeta, "name">,
  { load, tags }: PayloadSources,
): PayloadNodeClass {
  class PayloadNode extends Base<Payload> {
    static override meta: NodeMeta = { name: "payload", ...policy };
    constructor(readonly id: number) {
      super();
    }
    key() {
      return `${this.id}`;
    }
    override load() {
      return load();
    }
  }
  if (tags !== undefined) {
    PayloadNode.prototype.tags = function (this: PayloadNode) {
      return tags(this.id);
    };
  }
  return PayloadNode;
}
