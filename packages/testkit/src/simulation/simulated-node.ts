import { type LoadContext, Node, type NodeClass, type NodeMeta, type SaveContext } from "cacheme";
import { serializer } from "./origins.js";
import type { Setup } from "./setup.js";

/** The source of the values of one process. */
export abstract class Source {
  abstract load(key: number, context: LoadContext<number>): Promise<number>;
  abstract save(key: number, value: number): Promise<void>;
}

/** The tag of every value, in set-ups with tags. */
export const tag = "team";

/** Makes the node class of a set-up. All its simulations share the class, as programs do. */
export function simulatedNode({
  caches,
  lease = 400,
  tags,
  freshness,
  retention,
  write,
  loadTimeout = false,
}: Setup): {
  readonly nodeClass: NodeClass;
  readonly node: (key: number) => Node<number>;
} {
  class Simulated extends Node<number> {
    static override meta: NodeMeta = {
      name: "simulated",
      caches,
      loadTimeout,
      ...(write === undefined ? {} : { write, saveTimeout: false }),
      lease,
      serializer,
      ...freshness,
      ...retention,
    };
    constructor(readonly id: number) {
      super();
    }
    key() {
      return `key${this.id}`;
    }
    override tags() {
      return tags === "before" ? [tag] : [];
    }
    override load(context: LoadContext<number>) {
      return context.inject(Source).load(this.id, context);
    }
  }
  class Saved extends Simulated {
    static override meta = Simulated.meta;
    override save(value: number, context: SaveContext) {
      return context.inject(Source).save(this.id, value);
    }
  }
  const nodeClass = write === undefined ? Simulated : Saved;
  return { nodeClass, node: (key) => new nodeClass(key) };
}

/** Returns the key of the simulation in a stored one, `undefined` in a key of another kind. */
export function keyOf(stored: string): number | undefined {
  const found = /:key(\d+)/.exec(stored);
  return found === null ? undefined : Number(found[1]);
}
