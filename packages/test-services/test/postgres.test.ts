import { Client } from "pg";
import { expect, it } from "vitest";
import { describeWithServer } from "../src/vitest.js";

describeWithServer("postgres", "a server of PostgreSQL", (postgres) => {
  const query = async (statement: string): Promise<unknown[]> => {
    const client = new Client({ connectionString: postgres().url });
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  };

  it("keeps its commits when it is killed", async () => {
    await query("CREATE TABLE kept AS SELECT 42 AS answer");
    await postgres().restart();
    expect(await query("SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
  });
});
