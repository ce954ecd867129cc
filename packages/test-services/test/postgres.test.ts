import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { describeWithServer } from "../src/vitest.js";

describeWithServer("postgres", "a server of PostgreSQL", (postgres) => {
  const query = (statement: string): string => {
    const asked = spawnSync("psql", ["-XAtc", statement, postgres().url], { encoding: "utf8" });
    if (asked.status !== 0) throw new Error(asked.stderr);
    return asked.stdout.trim();
  };

  it("keeps what was committed when it is killed", async () => {
    query("CREATE TABLE kept AS SELECT 42 AS answer");
    await postgres().restart();
    expect(query("SELECT answer FROM kept")).toBe("42");
  });
});
