import { defineNode } from "cacheme";

/** A row of the database. */
export const value = defineNode({
  name: "value",
  key: (/** @type {string} */ id) => id,
  load: async (id) => Number(await (await fetch(`${process.env.DATABASE_URL}/${id}`)).text()),
  caches: [
    { storage: "local", ttl: "5m" },
    { storage: "redis", ttl: "10m" },
  ],
});

/**
 * Writes a row.
 *
 * @param {string} id
 * @param {string} body
 */
export async function write(id, body) {
  await fetch(`${process.env.DATABASE_URL}/${id}`, { method: "PUT", body });
}
