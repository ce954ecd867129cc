import { describeWithServer } from "@cacheme/test-services/vitest";
import { expect, it } from "vitest";
import { postgres } from "../src/index.js";
import { connected, observer, parts, record, texts, until } from "./place.js";

describeWithServer("postgres", "an error", (server) => {
  it("of a call without a connection says that the server cannot be reached", async () => {
    const storage = await connected(server().url);
    await server().kill();
    await until(async () => {
      const error: unknown = await storage.ping().catch((reason: unknown) => reason);
      return error instanceof Error && "code" in error && error.code === "CACHEME_CONNECT_FAILED";
    });
    await expect(storage.ping()).rejects.toThrow("cannot be reached: connect ECONNREFUSED");
    await server().restart();
    await until(() =>
      storage.ping().then(
        () => true,
        () => false,
      ),
    );
  });

  it("of a wrong password or database shows neither the password nor the address that holds it", async () => {
    const url = new URL(server().url);
    url.password = "secret";
    url.pathname = "/nowhere";
    const storage = postgres(url.href);
    const error: unknown = await storage.connect().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringMatching(/was reached, but cannot be used: .*nowhere.*Make the database/),
    });
    expect(error).toHaveProperty("message", expect.not.stringContaining("secret"));
    await storage.close();
  });

  it("of the server comes with its code, without the values that were sent, and costs no connection", async () => {
    const storage = await connected({ ...parts(server()), max: 1 }, { table: "checked" });
    const client = await observer(server());
    await client.query("ALTER TABLE checked ADD CHECK (octet_length(bytes) < 10)");
    const process = "SELECT pid FROM pg_stat_activity WHERE application_name = 'cacheme'";
    const before = (await client.query(process)).rows;
    const error: unknown = await storage
      .writeMany([record("a", "short"), record("b", "confidential")])
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CACHEME_STORAGE_FAILED", cause: { code: "23514" } });
    expect(JSON.stringify(error)).not.toContain(Buffer.from("confidential").toString("hex"));
    expect(error).not.toHaveProperty("cause.detail");
    expect(await texts(storage, "a", "b")).toEqual([undefined, undefined]);
    expect((await client.query(process)).rows).toEqual(before);
  });

  it("of a standby says that it takes no writes", async () => {
    const target = { ...parts(server()), options: "-c default_transaction_read_only=on" };
    await connected(server().url, { table: "standby" });
    const storage = postgres(target, { table: "standby" });
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("Give the address of the primary server"),
    });
    await storage.close();
  });

  it("of a server on which one kind of call fails names the call, the server and what is needed", async () => {
    await connected(server().url, { table: "broken" });
    const client = await observer(server());
    await client.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'no updates here' USING ERRCODE = '0A000'; END $$`);
    await client.query("CREATE TRIGGER refuse BEFORE UPDATE ON broken EXECUTE FUNCTION refuse()");
    const storage = postgres(server().url, { table: "broken" });
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_UNSUPPORTED_SERVER",
      message: expect.stringMatching(
        /found PostgreSQL \d+[.\d]*.*, where a \w+ failed: no updates here\. The storage needs PostgreSQL 12 or newer/,
      ),
    });
    await storage.close();
  });

  it("of a full server costs no invalidation, because generations are removed", async () => {
    const storage = await connected(server().url, { table: "crowded" });
    const ensure = async () => (await storage.generations?.ensure(["tag"], 60_000))?.[0];
    const before = await ensure();
    const client = await observer(server());
    await client.query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$`);
    await client.query(
      "CREATE TRIGGER crowded BEFORE INSERT OR UPDATE ON crowded EXECUTE FUNCTION full_disk()",
    );
    await expect(storage.writeMany([record("a", "A")])).rejects.toThrow("Make room on the server's disk");
    const [bumped] = (await storage.generations?.bump(["tag"], 60_000)) ?? [];
    expect(bumped?.id).not.toBe(before?.id);
    expect(bumped?.at).toBeGreaterThanOrEqual(before?.at ?? 0);
    expect(await texts(storage, "tag")).toEqual([undefined]);
    const other = await connected(server().url, { table: "crowded" });
    await client.query("DROP TRIGGER crowded ON crowded");
    expect((await other.generations?.ensure(["tag"], 60_000))?.[0]?.id).not.toBe(before?.id);
  });
});
