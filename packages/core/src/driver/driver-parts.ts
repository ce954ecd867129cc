import type { StorageCalls } from "./storage-calls.js";

/** The parts of a storage that its leases and its generations share with it. */
export interface DriverParts<D> {
  /** The storage's name in messages. */
  readonly label: string;
  readonly driver: D;
  readonly calls: StorageCalls;
}
