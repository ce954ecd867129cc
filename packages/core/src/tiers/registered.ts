import type { BreakerState } from "../events.js";
import type { LocalStorage } from "../storage/local-storage.js";
import type { RemoteStorage, StorageCapability } from "../storage/remote-storage.js";
import type { RemoteBatch } from "./remote-batch.js";

/** A local storage with the name that node classes use for it. */
export class RegisteredLocal {
  readonly kind = "local";
  readonly name: string;
  readonly storage: LocalStorage;

  constructor(name: string, storage: LocalStorage) {
    this.name = name;
    this.storage = storage;
  }
}

export type Registered = RegisteredLocal | RemoteBatch;

/** The state of a storage, as `storages()` returns it. */
export interface StorageStatus {
  readonly name: string;
  readonly kind: "local" | "remote";
  /** The storage's own name for itself, such as `redis://localhost:6379`. */
  readonly label: string;
  /**
   * The capabilities of a remote storage beyond reading, writing and removing. Empty for a local
   * storage, which needs none.
   */
  readonly offers: readonly StorageCapability[];
  /** The number of calls that have failed since the start; always 0 for a local storage. */
  readonly failureCount: number;
  /** The error of the last failed call. */
  readonly lastError: Error | undefined;
  /**
   * The state of the storage's circuit breaker; `undefined` for a local storage, and if the breaker
   * is turned off.
   */
  readonly breaker: BreakerState | undefined;
  /**
   * The number of removals that did not reach the storage and are repeated until they do; always 0
   * for a local storage.
   */
  readonly pendingRemovals: number;
}

/** Returns the capabilities of a remote storage beyond reading, writing and removing. */
export function offers(storage: RemoteStorage): StorageCapability[] {
  const capabilities = ["generations", "info", "leases", "scan", "touchMany"] as const;
  return capabilities.filter((capability) => storage[capability] !== undefined);
}

export function statusOf(registered: Registered): StorageStatus {
  const remote = registered.kind === "remote" ? registered : undefined;
  return {
    name: registered.name,
    kind: registered.kind,
    label: registered.storage.label,
    offers: remote === undefined ? [] : offers(remote.storage),
    failureCount: remote?.failureCount ?? 0,
    lastError: remote?.lastError,
    breaker: remote?.guard.breaker,
    pendingRemovals: remote?.replays.size ?? 0,
  };
}
