import type { LocalRecord } from "../storage/local-storage.js";
import type { ConditionalLoad } from "./conditional-load.js";

/** An entry that a tier holds, and that a load may renew. */
export interface ReplacedEntry {
  readonly record: LocalRecord;
  /** The name of the storage. */
  readonly origin: string;
  /** The size of the bytes; `undefined` in a local tier. */
  readonly size: number | undefined;
}

/** A flight, as far as it knows the entry that its load replaces. */
interface Replacing {
  readonly hasBegun: boolean;
  replaced: ReplacedEntry | undefined;
}

/** Forgets the entry that was replaced or removed before the load began. */
export function forgetReplaced(flight: Replacing): void {
  if (flight.hasBegun) return;
  flight.replaced = undefined;
}

/** The decisions of a load about its value. */
interface Decisions {
  ttl: number | undefined;
  skip: boolean;
  readonly conditional: ConditionalLoad | undefined;
}

/** Forgets the decisions of a failed load, because the load is repeated. */
export function forgetDecisions(flight: Decisions): void {
  flight.ttl = undefined;
  flight.skip = false;
  if (flight.conditional !== undefined) flight.conditional.kept = undefined;
}
