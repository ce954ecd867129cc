import { mysql as storage } from "@cacheme/mysql";
import { server } from "@cacheme/test-services";
import { createPool, type RowDataPacket } from "mysql2/promise";
import type { StorageSubject } from "./subject.js";

const clock = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

/**
 * mysql2's fastest form: prepared statements for each size of batch, rows as arrays, keys and
 * values as buffers, and a table with only the columns that a cache needs. As strings, values of
 * some kilobytes take several times as long.
 */
export const mysql: StorageSubject = {
  name: "mysql",
  async start() {
    const running = await server("mysql");
    const pool = createPool(running.url);
    await pool.query(`CREATE TABLE bare (
      id VARBINARY(512) NOT NULL PRIMARY KEY, bytes LONGBLOB NOT NULL, expires_at BIGINT NOT NULL, KEY (expires_at)
    ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC`);
    return {
      storage: storage(running.url),
      bare: {
        readMany: async (keys) => {
          const sql = `SELECT id, bytes FROM bare WHERE id IN (${list(keys, "?")}) AND expires_at > ${clock}`;
          const values = keys.map((key) => Buffer.from(key));
          const [rows] = await pool.execute<RowDataPacket[][]>({ sql, rowsAsArray: true, values });
          const found = new Map(rows.map(([id, bytes]) => [String(id), bytes]));
          return keys.map((key) => found.get(key) as unknown as Buffer | undefined);
        },
        writeMany: (records) =>
          pool.execute(
            `INSERT INTO bare (id, bytes, expires_at) VALUES ${list(records, `(?,?,${clock}+?)`)}
              ON DUPLICATE KEY UPDATE bytes = VALUES(bytes), expires_at = VALUES(expires_at)`,
            records.flatMap(({ key, bytes, ttl }) => [Buffer.from(key), bytes, ttl]),
          ),
      },
      stop: async () => {
        await pool.end();
        await running.stop();
      },
    };
  },
};

function list(items: readonly unknown[], row: string): string {
  return items.map(() => row).join(",");
}
