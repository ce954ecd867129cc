import type { Node, NodeMeta } from "cacheme";
import type { Build, Payload } from "./build.js";

/** Makes a node class of a build. */
export function payloadNode(
  { core }: Build,
  storages: readonly string[],
  load: () => Promise<Payload>,
): new (
  id: number,
) => Node<Payload> {
  const caches = storages.map((storage) => ({ storage, ttl: "1h" as const }));
  return class PayloadNode extends core.Node<Payload> {
    static override meta: NodeMeta = { name: "payload", caches };
    readonly id: number;
    constructor(id: number) {
      super();
      this.id = id;
    }
    key() {
      return `${this.id}`;
    }
    override load(): Promise<Payload> {
      return load();
    }
  };
}
