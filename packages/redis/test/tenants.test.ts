import { randomUUID } from "node:crypto";
import { describeWithService } from "@cacheme/test-services/vitest";
import { Cacheme, type LoadContext, memory, Node, type NodeMeta } from "cacheme";
import { Redis } from "ioredis";
import { afterAll, expect, it } from "vitest";
import { redis } from "../src/index.js";

/** These tests check answers, not times. */
const patient = { commandTimeout: "20s", connectTimeout: "20s" } as const;

class Database {
  loads = 0;

  constructor(readonly tenant: string) {}

  invoice(id: number): string {
    this.loads += 1;
    return `invoice ${id} of ${this.tenant}`;
  }
}

class InvoiceNode extends Node<string> {
  static override meta: NodeMeta = {
    name: "invoice",
    caches: [{ storage: "local" }, { storage: "redis", ttl: "10m" }],
  };

  constructor(readonly id: number) {
    super();
  }

  key() {
    return `${this.id}`;
  }

  override load({ inject }: LoadContext<string>) {
    return inject(Database).invoice(this.id);
  }
}

describeWithService("redis", "tenants with a space each on one client", (service) => {
  const clients: Redis[] = [];
  afterAll(() => {
    for (const client of clients) client.disconnect();
  });

  /** Makes spaces for tenants whose names would give the same key if they were not escaped. */
  async function tenants() {
    const client = new Redis(service().url);
    clients.push(client);
    const run = randomUUID();
    return await Promise.all(
      [run, `${run}:invoice`].map(async (tenant) => {
        const database = new Database(tenant);
        const cacheme = new Cacheme({ prefix: tenant });
        cacheme.provide(Database, database);
        await cacheme.registerStorage("local", memory());
        await cacheme.registerStorage("redis", redis(client, patient), { deadline: false });
        return { tenant, database, cacheme };
      }),
    );
  }

  it("read their own values, and never those of the other tenant", async () => {
    const spaces = await tenants();
    for (const { cacheme, tenant } of spaces) {
      expect(await cacheme.get(new InvoiceNode(7))).toBe(`invoice 7 of ${tenant}`);
    }
    for (const { cacheme, tenant, database } of spaces) {
      await cacheme.clear();
      expect(await cacheme.peek(new InvoiceNode(7))).toMatchObject({
        value: `invoice 7 of ${tenant}`,
        origin: "redis",
      });
      expect(database.loads).toBe(1);
    }
  });

  it("continue when the space of one tenant is closed", async () => {
    const [gone, stays] = await tenants();
    await gone!.cacheme.close();
    expect(await stays!.cacheme.get(new InvoiceNode(7))).toBe(`invoice 7 of ${stays!.tenant}`);
    await stays!.cacheme.clear();
    expect(await stays!.cacheme.get(new InvoiceNode(7))).toBe(`invoice 7 of ${stays!.tenant}`);
    expect(stays!.database.loads).toBe(1);
    expect(stays!.cacheme.storages().map(({ failureCount }) => failureCount)).toEqual([0, 0]);
  });
});
