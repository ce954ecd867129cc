import { randomBytes } from "node:crypto";
import type { Node, NodeMeta } from "cacheme";

/** The value that the benchmarks of the core store. */
export interface Payload {
  readonly text: string;
}

export type PayloadNodeClass = new (id: number) => Node<Payload>;

/** The functions of a node class. */
export interface PayloadSources {
  readonly load: () => Promise<Payload>;
  /** Returns the tags of the node with that id. A class without it has no `tags()`. */
  readonly tags?: ((id: number) => readonly string[]) | undefined;
}

export const payload: Payload = payloadOf(200);

/** Makes a value whose text has so many bytes. */
export function payloadOf(bytes: number): Payload {
  const text = randomBytes(Math.ceil(bytes / 2)).toString("hex");
  return { text: text.slice(0, bytes) };
}

let copies = 0;

/**
 * Makes a node class from a copy of its module. Classes that one place of the source makes share
 * what V8 has learnt of them. A node of the second class then takes ten times as long to make,
 * which no program's own class does.
 */
export async function payloadClass(
  Base: typeof Node,
  policy: Omit<NodeMeta, "name">,
  sources: Partial<PayloadSources> = {},
): Promise<PayloadNodeClass> {
  copies += 1;
  const copy: typeof import("./payload-node.js") = await import(`./payload-node.js?copy=${copies}`);
  return copy.payloadNode(Base, policy, { load: async () => payload, ...sources });
}
