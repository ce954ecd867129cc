import { postgres as storage } from "@cacheme/postgres";
import { server } from "@cacheme/test-services";
import pg from "pg";
import type { StorageSubject } from "./subject.js";

/**
 * pg's fastest form: a pool, prepared statements and rows as arrays. Keys and bytes are arrays that
 * pg itself encodes. The table is the storage's without the columns for leases.
 */
export const postgres: StorageSubject = {
  name: "postgres",
  async start() {
    const running = await server("postgres");
    const pool = new pg.Pool({ connectionString: running.url });
    await pool.query(table);
    return {
      storage: storage(running.url),
      bare: {
        readMany: async (keys) => {
          const { rows } = await pool.query({ ...read, values: [keys], rowMode: "array" });
          const found = new Map<string, Buffer>(rows.map(([key, bytes]) => [key, bytes]));
          return keys.map((key) => found.get(key));
        },
        writeMany: (records) =>
          pool.query({
            ...write,
            values: [
              records.map(({ key }) => key),
              records.map(({ bytes }) => bytes),
              records.map(({ ttl }) => ttl),
            ],
          }),
      },
      stop: async () => {
        await pool.end();
        await running.stop();
      },
    };
  },
};

const table = `CREATE TABLE bare (key text COLLATE "C" PRIMARY KEY, bytes bytea, expires timestamptz NOT NULL);
ALTER TABLE bare ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX ON bare (expires)`;

const read = {
  name: "read",
  text: "SELECT key, bytes FROM bare WHERE key = ANY ($1::text[]) AND expires > statement_timestamp()",
};

const write = {
  name: "write",
  text: `INSERT INTO bare (key, bytes, expires)
SELECT key, bytes, statement_timestamp() + ttl * interval '1 millisecond'
FROM unnest($1::text[], $2::bytea[], $3::float8[]) AS u(key, bytes, ttl)
ON CONFLICT (key) DO UPDATE SET bytes = EXCLUDED.bytes, expires = EXCLUDED.expires`,
};
