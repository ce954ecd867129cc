import { type StoredRecord, shownKey } from "cacheme/driver";
import type { Calls } from "./calls.js";
import type { Client } from "./client.js";
import { infoOf } from "./info.js";
import type { RedisClient } from "./options.js";

/**
 * Warns once, as a process warning with the code `CACHEME_NO_EVICTION`, that records without a ttl are stored on a server
 * that does not evict them: it fills up, and then refuses writes.
 */
export class EvictionWarning {
  readonly #label: string;
  readonly #calls: Calls;
  readonly #client: Client;
  #isAsked = false;

  constructor(label: string, calls: Calls, client: Client) {
    this.#label = label;
    this.#calls = calls;
    this.#client = client;
  }

  /** Asks the server for its policy after the first write of a record without a ttl. The write does not wait for the answer. */
  notice(records: readonly Pick<StoredRecord, "key" | "ttl">[]): void {
    if (this.#isAsked) return;
    const endless = records.find(({ ttl }) => ttl === undefined);
    if (endless === undefined) return;
    this.#isAsked = true;
    // No warning if the server is lost just now, or does not answer INFO to this account.
    this.#warn(endless.key).catch(() => {});
  }

  async #warn(key: string): Promise<void> {
    const texts = await this.#calls.make("INFO", (attempt) => this.#client.ask(memoryInfo, attempt));
    const { maxmemory, maxmemoryPolicy: policy } = infoOf(texts).details ?? {};
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

/** Is silent if ioredis may not send INFO: there may be a proxy, which would end the connection. */
async function memoryInfo(client: RedisClient): Promise<string> {
  return client.options?.enableReadyCheck === false ? "" : client.info();
}
