import { type StorageInfo, type StoredRecord, shownKey } from "cacheme/driver";

/**
 * Warns once, as a process warning with the code `CACHEME_NO_EVICTION`, that records without a ttl
 * are stored on a server that does not evict them: it fills up, and then refuses writes.
 */
export class EvictionWarning {
  readonly #label: string;
  readonly #info: (() => Promise<StorageInfo | undefined>) | undefined;
  #isAsked = false;

  /** @param info asks the server for its policy; `undefined` if the server must not be asked */
  constructor(label: string, info: (() => Promise<StorageInfo | undefined>) | undefined) {
    this.#label = label;
    this.#info = info;
  }

  /** Asks for the policy after the first record without a ttl. The write does not wait for it. */
  notice(records: readonly Pick<StoredRecord, "key" | "ttl">[]): void {
    if (this.#isAsked || this.#info === undefined) return;
    const endless = records.find(({ ttl }) => ttl === undefined);
    if (endless === undefined) return;
    this.#isAsked = true;
    // No warning if the server is lost just now, or does not answer INFO to this account.
    this.#info().then(
      (info) => this.#warn(endless.key, info?.details),
      () => {},
    );
  }

  #warn(key: string, { maxmemory, maxmemoryPolicy: policy }: StorageInfo["details"] = {}): void {
    // Servers that are only like Redis may have another way to evict, and do not report this one.
    if (typeof policy !== "string" || policy === "") return;
    if (Number(maxmemory) > 0 && policy.startsWith("allkeys-")) return;
    process.emitWarning(
      `${this.#label}: the record ${shownKey(key)} was stored without a ttl, and the server evicts no such record ` +
        `(maxmemory-policy ${policy}, maxmemory ${maxmemory}). The server grows until ` +
        `${Number(maxmemory) > 0 ? "it refuses writes" : "its machine has no memory left"}. Give the tier a ttl, or set ` +
        "maxmemory and a policy such as allkeys-lru on the server.",
      { type: "CachemeWarning", code: "CACHEME_NO_EVICTION" },
    );
  }
}
