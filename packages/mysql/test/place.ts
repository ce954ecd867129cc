import type { Server } from "@cacheme/test-services";
import type { RemoteStorage } from "cacheme/driver";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterEach, beforeEach } from "vitest";
import { type MysqlStorageOptions, mysql } from "../src/index.js";

/** A database, as each test sees it beside its storages. */
export interface Place {
  connection(): Connection;
  /** Makes a storage in the database. It is closed after the test. */
  storage(options?: MysqlStorageOptions, url?: string): RemoteStorage;
  /** Returns the first column of the answered rows. */
  column(sql: string): Promise<unknown[]>;
}

/** Connects to the database before each test, and closes everything after it. */
export function placeIn(server: () => Server): Place {
  let connection: Connection;
  const storages: RemoteStorage[] = [];
  beforeEach(async () => {
    connection = await createConnection(server().url);
  });
  afterEach(async () => {
    for (const storage of storages.splice(0)) await storage.close();
    await connection.end();
  });
  return {
    connection: () => connection,
    storage(options = {}, url = server().url) {
      const made = mysql(url, options);
      storages.push(made);
      return made;
    },
    async column(sql) {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows.map((row) => Object.values(row)[0]);
    },
  };
}
