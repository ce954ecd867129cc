import type { Connection } from "./connection.js";
import { type Address, mapped, type NatMap, nameOf } from "./connection-options.js";

/** The nodes of a Redis Cluster, and which of them has which slots. */
export interface ClusterNodes {
  /** Counts the changes that were seen of who has which slots. */
  readonly version: number;
  /** Settles when it is known who has which slots. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** The master of a slot, as far as is known. */
  masterOf(slot: number): Connection | undefined;
  /** The node at an address that another node named, `host:port`. */
  at(name: string): Connection | undefined;
  /** Notes what a node said: who has the slot now. */
  moved(slot: number, name: string): void;
  masters(): readonly Connection[];
  /** Asks the nodes who has which slots. Several that ask at once get one answer. */
  refresh(): Promise<void>;
}

/** Which slots, and whose. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: Address;
}

/**
 * The answer to CLUSTER SLOTS. A node that does not know its own address leaves it out: it is the one that was asked at.
 */
export function slotRanges(answer: unknown, asked: string, natMap: NatMap | undefined): SlotRange[] {
  if (!Array.isArray(answer)) throw new Error("the server did not say who has which slots");
  return answer.map((range: unknown) => {
    const [first, last, master]: unknown[] = Array.isArray(range) ? range : [];
    const [host, port]: unknown[] = Array.isArray(master) ? master : [];
    const named = typeof host === "string" && host !== "" && host !== "?" ? host : asked;
    return {
      first: Number(first),
      last: Number(last),
      master: mapped({ host: named, port: Number(port) }, natMap),
    };
  });
}

/** `host:port` in a redirection: without a host it is the one that sent it, and a host of IPv6 has colons of its own. */
export function namedIn(text: string, sender: string, natMap: NatMap | undefined): string {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[|\]$/g, "");
  return nameOf(mapped({ host: host === "" ? sender : host, port: Number(text.slice(colon + 1)) }, natMap));
}

export function hostOf(connection: Connection): string {
  return connection.client.options?.host ?? "127.0.0.1";
}
