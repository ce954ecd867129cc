import type { LocalStorage } from "../storage/local-storage.js";
import type { RemoteStorage, StorageCapability } from "../storage/remote-storage.js";
import type { RemoteBatch } from "./remote-batch.js";

/** A local storage under the name that node classes know it by. */
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

/** What a `Cacheme` knows of a storage, as `storages()` answers it. */
export interface StorageStatus {
  readonly name: string;
  readonly kind: "local" | "remote";
  /** What the storage calls itself, such as `redis://localhost:6379`. */
  readonly label: string;
  /** What a remote storage offers beyond reading, writing and removing. Nothing for a local one, which needs none of it. */
  readonly offers: readonly StorageCapability[];
  /** How many calls have failed since the start; always 0 for a local storage. */
  readonly failureCount: number;
  /** What the last failed call said. */
  readonly lastError: Error | undefined;
}

/** What a remote storage offers beyond reading, writing and removing. */
export function offers(storage: RemoteStorage): StorageCapability[] {
  const capabilities = ["generations", "info", "leases", "scan"] as const;
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
  };
}
