import { statSync, writeFileSync } from "node:fs";
import { itRefusesOptions } from "@cacheme/test-services/journal/option-tests";
import { systemClock } from "cacheme";
import { describe, expect, it, onTestFinished } from "vitest";
import { type SqliteJournalOptions, sqliteJournal } from "../../src/index.js";
import { connected, handle, place } from "../place.js";

/** Returns the error with which a journal at the place cannot be connected. */
async function refusal(target: string, options?: SqliteJournalOptions): Promise<unknown> {
  const journal = sqliteJournal(target, options);
  onTestFinished(() => journal.close());
  return await journal.connect(systemClock).then(
    () => "connected",
    (error: unknown) => error,
  );
}

describe("the file of a journal", () => {
  it("is private, and is on the disk when a save is acknowledged", async () => {
    const file = place("writes.db");
    const journal = sqliteJournal(file);
    onTestFinished(() => journal.close());
    await journal.connect(systemClock);
    expect(statSync(file).mode & 0o077).toBe(0);
    await journal.append([{ key: "a", node: "user:1", bytes: Buffer.from("1") }], 0);
    const beside = handle(file);
    expect(beside.prepare("SELECT journal_mode AS value FROM pragma_journal_mode()").value()).toBe("wal");
    expect(beside.prepare("SELECT count(*) AS value FROM cacheme_journal").value()).toBe(1);
  });

  it("is no file of a storage, which may be set aside", async () => {
    const file = place("cache.db");
    await connected(file);
    expect(await refusal(file)).toMatchObject({ code: "CACHEME_FOREIGN_DATA" });
  });

  it("is refused if it is damaged, and stays as it is", async () => {
    const file = place("writes.db");
    writeFileSync(file, "no database".repeat(1_000));
    expect(await refusal(file)).toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
    expect(statSync(file).size).toBe(11_000);
  });

  it("has no other table of the name", async () => {
    const file = place("app.db");
    handle(file).exec("CREATE TABLE orders (id)");
    expect(await refusal(file, { table: "orders" })).toMatchObject({ code: "CACHEME_FOREIGN_DATA" });
    expect(await refusal(file)).toBe("connected");
  });

  it("is waited for while another process has its lock, and not for ever", async () => {
    const file = place("writes.db");
    const journal = sqliteJournal(file, { commandTimeout: "300ms" });
    onTestFinished(() => journal.close());
    await journal.connect(systemClock);
    const beside = handle(file);
    beside.exec("BEGIN IMMEDIATE");
    const record = { key: "a", node: "user:1", bytes: Buffer.from("1") };
    const late = await journal.append([record], 0).catch((error: unknown) => error);
    expect(late).toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
    const appended = journal.append([record], 0);
    beside.exec("COMMIT");
    await appended;
    expect(await journal.read(["a"])).toHaveLength(1);
  });

  it("takes no calls before connect, and after close", async () => {
    const journal = sqliteJournal(place("writes.db"));
    await expect(journal.counts()).rejects.toMatchObject({ code: "CACHEME_CLOSED" });
    await journal.connect(systemClock);
    await journal.close();
    await expect(journal.counts()).rejects.toMatchObject({ code: "CACHEME_CLOSED" });
  });

  itRefusesOptions(
    (options: SqliteJournalOptions) => sqliteJournal("writes.db", options),
    [
      [{ synchronous: "off" }, "CACHEME_INVALID_OPTION"],
      [{ table: "a.b" }, "CACHEME_INVALID_OPTION"],
      [{ commandTimeout: "soon" }, "CACHEME_INVALID_DURATION"],
      [{ tables: "a" }, "CACHEME_INVALID_OPTION"],
    ],
  );
});
