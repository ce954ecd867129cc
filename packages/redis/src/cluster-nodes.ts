import type { Connection } from "./connection.js";
import { type Address, mapped, type NatMap, nameOf } from "./connection-options.js";

/** The nodes of a Redis Cluster, and the slots of each. */
export interface ClusterNodes {
  /** Counts the changes of slots that were noticed. */
  readonly version: number;
  /** Settles when the masters of the slots are known. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Returns the last known master of a slot. */
  masterOf(slot: number): Connection | undefined;
  /** Returns the node at an address that another node gave, `host:port`. */
  at(name: string): Connection | undefined;
  /** Notes a slot's new master after a MOVED. */
  moved(slot: number, name: string): void;
  masters(): readonly Connection[];
  /** Asks the nodes for the masters of all slots. Concurrent calls share one answer. */
  refresh(): Promise<void>;
}

/** Slots in a row and their master. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: Address;
}

/** Reads the answer to CLUSTER SLOTS. A node that does not know its own address omits it. */
export function slotRanges(answer: unknown, asked: string, natMap: NatMap | undefined): SlotRange[] {
  if (!Array.isArray(answer)) throw new Error("expected a list of slots and their masters");
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

/** Reads `host:port` of a redirection. Without a host it is the sender's. */
export function namedIn(text: string, sender: string, natMap: NatMap | undefined): string {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[|\]$/g, "");
  return nameOf(mapped({ host: host === "" ? sender : host, port: Number(text.slice(colon + 1)) }, natMap));
}

export function hostOf(connection: Connection): string {
  return connection.client.options?.host ?? "127.0.0.1";
}
