import type { ConnectionOptions } from "../driver/connection-options.js";
import { ConfigurationError } from "../errors.js";
import { shown } from "../option-checks.js";
import type { LocalStorage } from "../storage/local-storage.js";
import type { RemoteStorage, StorageCapability } from "../storage/remote-storage.js";
import type { Registered } from "./registered.js";

/** The arguments of `registerStorage`, and the resulting storage. */
export interface Registration {
  readonly given: LocalStorage | RemoteStorage | string;
  readonly registered: Registered;
}

/** A registration whose storage is being connected. */
export interface Connection {
  readonly given: LocalStorage | RemoteStorage | string;
  readonly done: Promise<Registered>;
}

export function checkName(name: string): void {
  if (typeof name === "string" && name !== "") return;
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `registerStorage expected a name, got ${shown(name)}. Give the name that the nodes' \`caches\` use, such as "local".`,
  );
}

/**
 * Returns whether a registration repeats a known one. A module that is evaluated twice makes its
 * storages twice. Their labels, which name the address, are then equal.
 */
export function isSameStorage(
  one: LocalStorage | RemoteStorage | string,
  other: LocalStorage | RemoteStorage | string,
): boolean {
  if (one === other) return true;
  if (typeof one === "string" || typeof other === "string") return false;
  return one.kind === other?.kind && one.label === other.label;
}

/** Returns an error without the address, which may hold a password. */
export function duplicateStorage(
  name: string,
  known: LocalStorage | RemoteStorage | string,
): ConfigurationError {
  const what = typeof known === "string" ? "from another address" : `as ${known.label}`;
  return new ConfigurationError(
    "CACHEME_DUPLICATE_STORAGE",
    `A storage "${name}" is registered already, ${what}. Give this one another name, or replace the other one: ` +
      `registerStorage("${name}", …, { replace: true }).`,
    { storage: name },
  );
}

/**
 * Refuses options for a connection beside a storage, because they belong to the function that makes
 * the storage.
 */
export function checkUnused(name: string, connection: ConnectionOptions): void {
  const [option] = Object.keys(connection);
  if (option === undefined) return;
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `registerStorage("${name}", …) got the option ${option} beside a finished storage. Give the option to the ` +
      "function that makes the storage, or give an address instead.",
    { storage: name },
  );
}

const capabilities: Readonly<Record<StorageCapability, true>> = {
  generations: true,
  info: true,
  leases: true,
  scan: true,
  touchMany: true,
};

/** Refuses the name of a capability that no storage has. */
export function checkCapabilities(name: string, needs: readonly StorageCapability[]): void {
  const isList = Array.isArray(needs);
  const wrong = isList ? needs.find((capability) => !Object.hasOwn(capabilities, capability)) : needs;
  if (isList && wrong === undefined) return;
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `The option needs of registerStorage("${name}", …) ${isList ? "names" : "is"} ${shown(wrong)}. ` +
      `Give a list of ${Object.keys(capabilities).join(", ")}.`,
    { storage: name },
  );
}
