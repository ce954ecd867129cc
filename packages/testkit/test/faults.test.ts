import type { KeyPattern, LeaseAnswer, LeaseRequest, StoredRecord } from "cacheme/driver";
import { describe, expect, it } from "vitest";
import { ComplianceSuite } from "../src/index.js";
import { ReferenceStorage } from "./reference-storage.js";

/** Each storage has one fault, and the suite must find it in the section about it. */
const faults: Record<string, [section: string, storage: typeof ReferenceStorage]> = {
  "answers in another order than the keys": [
    "batches",
    class extends ReferenceStorage {
      override async readMany(keys: readonly string[]) {
        return super.readMany(keys.toSorted());
      }
    },
  ],
  "keeps the first of two records with the same key": [
    "batches",
    class extends ReferenceStorage {
      override async writeMany(records: readonly StoredRecord[]) {
        await super.writeMany(records.toReversed());
      }
    },
  ],
  "reads an empty value as a miss": [
    "values",
    class extends ReferenceStorage {
      override async readMany(keys: readonly string[]) {
        return (await super.readMany(keys)).map((bytes) => (bytes?.length ? bytes : undefined));
      }
    },
  ],
  "stores bytes as a string": [
    "values",
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write({ ...record, bytes: Buffer.from(Buffer.from(record.bytes).toString()) });
      }
    },
  ],
  "ignores the case of keys": [
    "keys",
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write({ ...record, key: record.key.toLowerCase() });
      }
      protected override find(key: string) {
        return super.find(key.toLowerCase());
      }
    },
  ],
  "truncates keys": [
    "keys",
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write({ ...record, key: record.key.slice(0, 250) });
      }
      protected override find(key: string) {
        return super.find(key.slice(0, 250));
      }
    },
  ],
  "accepts keys with line breaks": [
    "keys",
    class extends ReferenceStorage {
      protected override checkKeys() {}
    },
  ],
  "counts ttls on the client's clock": [
    "ttl",
    class extends ReferenceStorage {
      protected override now() {
        return Date.now();
      }
    },
  ],
  "keeps records too long": [
    "ttl",
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write({ ...record, ttl: record.ttl === undefined ? undefined : record.ttl + 100 });
      }
    },
  ],
  "keeps records too short a time": [
    "ttl",
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write({ ...record, ttl: record.ttl === undefined ? undefined : Math.ceil(record.ttl / 2) });
      }
    },
  ],
  "keeps ttls in 32 bits": [
    "ttl",
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write({ ...record, ttl: record.ttl === undefined ? undefined : record.ttl | 0 });
      }
    },
  ],
  "returns the client's time": [
    "time",
    class extends ReferenceStorage {
      override async time() {
        await super.time();
        return Date.now();
      }
    },
  ],
  "returns the time in seconds": [
    "time",
    class extends ReferenceStorage {
      override async time() {
        return Math.floor((await super.time()) / 1000);
      }
    },
  ],
  "returns the time of another clock": [
    "time",
    class extends ReferenceStorage {
      override async time() {
        return (await super.time()) + 5000;
      }
    },
  ],
  "caches the time": [
    "time",
    class extends ReferenceStorage {
      #first: Promise<number> | undefined;
      override time() {
        this.#first ??= super.time();
        return this.#first;
      }
    },
  ],
  "returns the time even after close": [
    "lifecycle",
    class extends ReferenceStorage {
      override async time() {
        return Math.floor(this.now());
      }
    },
  ],
  "counts keys instead of records": [
    "removal",
    class extends ReferenceStorage {
      override async removeMany(keys: readonly string[]) {
        await super.removeMany(keys);
        return keys.length;
      }
    },
  ],
  "finds too many keys in a scan": [
    "scan",
    class extends ReferenceStorage {
      override async *scan(pattern: KeyPattern) {
        const like = new RegExp(`^${pattern.like().replaceAll("%", ".*").replaceAll("_", ".")}$`);
        for (const key of this.held.keys()) if (like.test(key)) yield [key];
      }
    },
  ],
  "misses keys in a scan": [
    "scan",
    class extends ReferenceStorage {
      override async *scan(pattern: KeyPattern) {
        for await (const page of super.scan(pattern)) yield page.slice(1);
      }
    },
  ],
  "keeps leases under names that keys can have": [
    "leases",
    class extends ReferenceStorage {
      override async removeMany(keys: readonly string[]) {
        for (const key of keys) {
          const held = key.endsWith(":lease") ? this.held.get(key.slice(0, -":lease".length)) : undefined;
          if (held) held.token = undefined;
        }
        return super.removeMany(keys);
      }
    },
  ],
  "keeps generations under names that keys can have": [
    "generations",
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write(record);
        if (record.key.startsWith("tag:")) this.held.delete(record.key.slice("tag:".length));
      }
    },
  ],
  "keeps the lease in a removal": [
    "leases",
    class extends ReferenceStorage {
      override async removeMany(keys: readonly string[]) {
        const before = keys.map((key) => [key, this.find(key)] as const);
        const count = await super.removeMany(keys);
        for (const [key, held] of before) if (held) this.held.set(key, { ...held, bytes: undefined });
        return count;
      }
    },
  ],
  "keeps the lease in a write": [
    "leases",
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        const before = this.find(record.key);
        super.write(record);
        const after = this.held.get(record.key);
        if (after && before) Object.assign(after, { token: before.token, leaseUntil: before.leaseUntil });
      }
    },
  ],
  "grants every lease": [
    "leases",
    class extends ReferenceStorage {
      protected override acquire(request: LeaseRequest): LeaseAnswer {
        return super.acquire({ ...request, steal: true });
      }
    },
  ],
  "never steals": [
    "leases",
    class extends ReferenceStorage {
      protected override acquire(request: LeaseRequest): LeaseAnswer {
        return super.acquire({ ...request, steal: false });
      }
    },
  ],
  "fills without a check of the token": [
    "leases",
    class extends ReferenceStorage {
      protected override fill(record: StoredRecord) {
        this.write(record);
        return true;
      }
    },
  ],
  "hides stale bytes during a load": [
    "leases",
    class extends ReferenceStorage {
      override async readMany(keys: readonly string[]) {
        return keys.map((key) => (this.find(key)?.token === undefined ? this.find(key)?.bytes : undefined));
      }
    },
  ],
  "creates a new generation in each call": [
    "generations",
    class extends ReferenceStorage {
      protected override ensure(key: string, ttl: number | undefined) {
        return this.bump(key, ttl);
      }
    },
  ],
  "answers calls after close": [
    "lifecycle",
    class extends ReferenceStorage {
      override async close() {}
    },
  ],
  "leaks listeners": [
    "clients",
    class extends ReferenceStorage {
      override async readMany(keys: readonly string[]) {
        process.on("exit", nothing);
        return super.readMany(keys);
      }
    },
  ],
};

const nothing = (): void => {};

describe("a storage that", () => {
  it.each(Object.entries(faults))("%s fails the suite", async (name, [title, Faulty]) => {
    const shared = new Map();
    const suite = new ComplianceSuite({
      name,
      create: () => new Faulty(shared),
      capabilities: { scannedKeys: 10_000 },
    });
    const section = suite.sections.find((section) => section.title === title);
    const failed: string[] = [];
    for (const test of section?.cases ?? []) {
      await suite.run(section!, test).catch(() => failed.push(test.title));
      if (failed.length > 0) break;
    }
    while (process.listeners("exit").includes(nothing)) process.off("exit", nothing);
    expect(failed).not.toEqual([]);
  });

  it("has new data each time it is created fails with the reason", async () => {
    const suite = new ComplianceSuite({ name: "alone", create: () => new ReferenceStorage() });
    const section = suite.sections.find(({ title }) => title === "batches");
    const test = section?.cases.find(({ title }) => title.startsWith("shows one client"));
    await expect(suite.run(section!, test!)).rejects.toThrow(/clients of the same data/);
    await suite.close();
  });
});
