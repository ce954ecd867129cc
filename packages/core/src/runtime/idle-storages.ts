import { ConfigurationError } from "../errors.js";
import type { NodeKind } from "./node-kind.js";

/**
 * Refuses the option `idle` if a storage of the class cannot keep an entry for longer.
 *
 * @throws ConfigurationError `CACHEME_NOT_OFFERED`, with the storage's reason
 */
export function checkIdle({ meta, name, localTiers, remoteTiers }: NodeKind): void {
  if (meta.idle === undefined) return;
  const refuse = (storage: string, label: string, reason: string): never => {
    throw new ConfigurationError(
      "CACHEME_NOT_OFFERED",
      `The option idle of node "${name}" needs storages that keep an entry for longer without writing it again. ` +
        `Storage "${storage}" (${label}) cannot: ${reason} Keep the class in another storage, or give the tier a ttl instead of idle.`,
      { node: name, storage },
    );
  };
  for (const { name: tier, storage } of localTiers)
    if (storage.touch === undefined) refuse(tier, storage.label, "It has no method touch.");
  for (const { name: tier, storage } of remoteTiers) {
    const { label, lacks, touchMany } = storage.storage;
    if (touchMany === undefined) refuse(tier, label, lacks?.touchMany ?? "Its driver does not support it.");
  }
}
