import { itRefusesOptions } from "@cacheme/test-services/journal/option-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { journalCompliance } from "@cacheme/testkit/vitest";
import { systemClock } from "cacheme";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { type PostgresJournalOptions, postgresJournal, postgresJournalTable } from "../../src/index.js";

describeWithServer("postgres", "journals", (server) => {
  journalCompliance({
    name: "postgresJournal",
    create: (place) => postgresJournal(server().url, { table: place }),
  });

  describe("the table of a journal", () => {
    it("is created once by all who connect at a time", async () => {
      const journals = Array.from({ length: 4 }, () => postgresJournal(server().url, { table: "raced" }));
      onTestFinished(async () => void (await Promise.all(journals.map((journal) => journal.close()))));
      await Promise.all(journals.map((journal) => journal.connect(systemClock)));
      expect(await journals[0]?.counts()).toEqual([]);
    });

    it("is not created if it must not be, and is made by a migration", async () => {
      const journal = postgresJournal(server().url, { table: "migrated", createTable: false });
      onTestFinished(() => journal.close());
      await expect(journal.connect(systemClock)).rejects.toMatchObject({
        code: "CACHEME_CONNECT_REFUSED",
        message: expect.stringContaining("postgresJournalTable()"),
      });
      const client = new pg.Client(server().url);
      await client.connect();
      await client.query(postgresJournalTable({ table: "migrated" }));
      await client.end();
      await journal.connect(systemClock);
      expect(await journal.counts()).toEqual([]);
    });
  });
});

describe("the options of a journal", () => {
  itRefusesOptions(
    (options: PostgresJournalOptions) => postgresJournal("postgres://localhost/app", options),
    [
      [{ table: "" }, "CACHEME_INVALID_OPTION"],
      [{ createTable: "no" }, "CACHEME_INVALID_OPTION"],
      [{ commandTimeout: "soon" }, "CACHEME_INVALID_DURATION"],
      [{ tables: "a" }, "CACHEME_INVALID_OPTION"],
    ],
  );
});
