import { createHash } from "node:crypto";

/** A statement, and the name under which a connection prepares it, if it does. */
export interface Statement {
  /** Derived from the text, so that two texts never share a name on one connection. */
  readonly name: string | undefined;
  readonly text: string;
}

type StatementName =
  | "acquire"
  | "bump"
  | "ensure"
  | "extend"
  | "fill"
  | "findWritten"
  | "info"
  | "ping"
  | "read"
  | "release"
  | "remove"
  | "removeWritten"
  | "scan"
  | "sweep"
  | "time"
  | "touch"
  | "write";

/** Every statement that a storage sends. */
export type Statements = Readonly<Record<StatementName, Statement>>;

/** Rows that one page of a scan looks at, and that one sweep removes at most. */
export const rowsAtOnce = 1000;

/**
 * The server's time at the beginning of the statement. It is the same in the whole statement, so no
 * row is expired in one part and not in another. If the statement waits for a row, the time is
 * early, which is the safe side: records and leases end sooner, and an `at` is never later than its
 * event.
 */
const now = "statement_timestamp()";
const nowInMilliseconds = `floor(extract(epoch FROM ${now}) * 1000)::bigint`;

/** Returns the time after so many milliseconds, or `infinity` for null. */
function later(milliseconds: string): string {
  return `coalesce(${now} + ${milliseconds} * interval '1 millisecond', 'infinity')`;
}

/** A parameter of microseconds since the epoch as a time; behind all times if it is null. */
const place = "coalesce('epoch'::timestamptz + $1::float8 * interval '1 microsecond', 'infinity')";

/** There are bytes, and they have not expired. */
const lives = `r.bytes IS NOT NULL AND r.expires > ${now}`;

/**
 * The bytes are a generation's, as `generationFrom` reads them. The lengths come first: `{1,64}` in
 * a regular expression takes PostgreSQL ten times as long as the rest, and a large record needs no
 * look. `encode` makes a string of any bytes.
 */
const isGeneration = `CASE WHEN octet_length(r.bytes) <= 81 AND position('@'::bytea IN r.bytes) <= 65
    AND octet_length(r.bytes) - position('@'::bytea IN r.bytes) <= 16
  THEN encode(r.bytes, 'escape') ~ '^[0-9A-Za-z_-]+@[0-9]+$' ELSE false END`;

/** The time of the stored generation, or null without one. */
const lastTime = `CASE WHEN ${isGeneration} THEN split_part(encode(r.bytes, 'escape'), '@', 2)::bigint END`;

const newGeneration = `convert_to(id || '@' || ${nowInMilliseconds}, 'UTF8')`;

/** The new generation, with the time of the generation that it replaces if that is later. */
const nextGeneration = `convert_to(split_part(encode(EXCLUDED.bytes, 'escape'), '@', 1) || '@' || greatest(${nowInMilliseconds}, ${lastTime}), 'UTF8')`;

/**
 * Builds the statements. The plan of a prepared statement may be very old for a cache: made while
 * the table was empty, when reading all of it was cheap. So a prepared statement can only use the
 * index of the keys: by `= ANY`, by `ON CONFLICT`, or by a subquery for one key, which `OFFSET 0`
 * and `FOR UPDATE` keep the planner from joining in another way. All other statements are planned
 * at each call.
 *
 * @param table quoted
 * @param prepare whether statements may be prepared
 */
export function statements(table: string, prepare: boolean): Statements {
  const prepared = (text: string): Statement => ({ name: prepare ? nameOf(text) : undefined, text });
  // Locks the rows one by one, in the order of the keys, before it changes any of them: two batches
  // never deadlock.
  const locked = `LATERAL (SELECT key FROM ${table} WHERE key = u.key AND lease = u.lease FOR UPDATE) AS locked`;
  // Skips rows that another process has locked: it is just writing or sweeping them.
  const sweep = (condition: string, order: string): Statement =>
    planned(`WITH gone AS (
  DELETE FROM ${table} WHERE key = ANY (ARRAY(
    SELECT key FROM ${table} WHERE ${condition} AND (lease_until IS NULL OR lease_until <= ${now})
    ORDER BY ${order} LIMIT ${rowsAtOnce} FOR UPDATE SKIP LOCKED
  )) RETURNING 1
) SELECT count(*) FROM gone`);
  return {
    ping: prepared("SELECT 1"),

    time: planned(`SELECT ${nowInMilliseconds}`),

    read: prepared(`SELECT r.key, r.bytes FROM ${table} AS r WHERE r.key = ANY ($1::text[]) AND ${lives}`),

    write: prepared(`INSERT INTO ${table} AS r (key, long_key, bytes, expires, fresh_until)
SELECT key, long_key, bytes, ${later("ttl")}, ${later("fresh_for")}
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::float8[], $5::float8[]) AS u(key, long_key, bytes, ttl, fresh_for)
ON CONFLICT (key) DO UPDATE SET bytes = EXCLUDED.bytes, expires = EXCLUDED.expires, fresh_until = EXCLUDED.fresh_until,
  lease = NULL, lease_until = NULL, written = EXCLUDED.written`),

    remove: planned(`WITH gone AS (
  DELETE FROM ${table} AS r
  USING unnest($1::text[]) AS u(key), LATERAL (SELECT key FROM ${table} WHERE key = u.key FOR UPDATE) AS locked
  WHERE r.key = locked.key
  RETURNING ${lives} AS lived
) SELECT count(*) FILTER (WHERE lived) FROM gone`),

    // Bytes without a time of their own are fresh for ever, and so to their new end.
    touch: prepared(`INSERT INTO ${table} AS r (key, expires, fresh_until)
SELECT u.key, ${later("u.ttl")}, 'infinity' FROM unnest($1::text[], $2::float8[]) AS u(key, ttl),
  LATERAL (SELECT r.key FROM ${table} AS r WHERE r.key = u.key AND ${lives} FOR UPDATE) AS locked
ON CONFLICT (key) DO UPDATE SET expires = greatest(r.expires, EXCLUDED.expires)
RETURNING r.key`),

    // A page counts the rows that it looks at, not the matching ones: this bounds the cost of a
    // call.
    scan: planned(`WITH page AS MATERIALIZED (
  SELECT r.key, coalesce(r.long_key, r.key) AS whole, (${lives}) OR coalesce(r.lease_until > ${now}, false) AS is_there
  FROM ${table} AS r WHERE r.key >= $1::text AND r.key < $2::text ORDER BY r.key LIMIT ${rowsAtOnce}
) SELECT whole, NULL FROM page WHERE is_there AND whole LIKE $3::text
UNION ALL SELECT NULL, max(key) FROM page`),

    sweep: sweep(`expires < 'infinity' AND expires <= ${now}`, "expires"),

    // A place is the time of a row's writing in microseconds. No two rows have one time, or nearly
    // none.
    findWritten: planned(`SELECT (extract(epoch FROM written) * 1000000)::bigint FROM ${table}
WHERE written < ${place} ORDER BY written DESC OFFSET $2::bigint LIMIT 1`),

    removeWritten: sweep(`written <= ${place}`, "written"),

    info: planned(`SELECT current_setting('server_version'), c.reltuples, pg_total_relation_size(c.oid), c.relpersistence = 'u', version()
FROM pg_class AS c WHERE c.oid = to_regclass('${table}')`),

    // EXCLUDED has the columns of a row and no others. A row of a lease only has no live bytes, so
    // its fresh_until marks a steal, and its expired bytes are those that the client has seen. If a row is newer than the statement's snapshot, a refused request finds
    // nothing fresh in it: the lease is held.
    acquire: prepared(`WITH asked AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::float8[], $5::boolean[], $6::bytea[])
    AS u(key, long_key, lease, duration, steal, seen)
), granted AS (
  INSERT INTO ${table} AS r (key, long_key, bytes, expires, fresh_until, lease, lease_until)
  SELECT key, long_key, seen, CASE WHEN seen IS NULL THEN ${later("duration")} ELSE ${now} END, CASE WHEN steal THEN 'infinity' ELSE '-infinity' END::timestamptz,
    lease, ${later("duration")}
  FROM asked
  ON CONFLICT (key) DO UPDATE SET lease = EXCLUDED.lease, lease_until = EXCLUDED.lease_until,
    bytes = CASE WHEN ${lives} THEN r.bytes END,
    expires = CASE WHEN ${lives} THEN r.expires ELSE EXCLUDED.lease_until END
  WHERE EXCLUDED.fresh_until = 'infinity'
    OR coalesce(r.lease_until <= ${now}, true) AND NOT (${lives} AND r.fresh_until > ${now} AND r.bytes IS DISTINCT FROM EXCLUDED.bytes)
  RETURNING key
) SELECT key, ${nowInMilliseconds}, NULL::bytea FROM granted
UNION ALL SELECT a.key, NULL, f.bytes FROM asked AS a, LATERAL (
  SELECT r.bytes FROM ${table} AS r WHERE r.key = a.key AND ${lives} AND r.fresh_until > ${now}
    AND r.bytes IS DISTINCT FROM a.seen OFFSET 0
) AS f WHERE NOT a.steal`),

    // Never inserts, because the locked rows exist.
    fill: prepared(`INSERT INTO ${table} AS r (key, bytes, expires, fresh_until, lease)
SELECT u.key, u.bytes, ${later("u.ttl")}, ${later("u.fresh_for")}, u.lease
FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::float8[], $5::float8[]) AS u(key, lease, bytes, ttl, fresh_for), ${locked}
ON CONFLICT (key) DO UPDATE SET bytes = EXCLUDED.bytes, expires = EXCLUDED.expires, fresh_until = EXCLUDED.fresh_until,
  lease = NULL, lease_until = NULL, written = EXCLUDED.written
RETURNING r.key`),

    release: prepared(`INSERT INTO ${table} AS r (key, expires, fresh_until)
SELECT u.key, 'infinity', 'infinity' FROM unnest($1::text[], $2::uuid[]) AS u(key, lease), ${locked}
ON CONFLICT (key) DO UPDATE SET lease = NULL, lease_until = NULL
RETURNING r.key`),

    extend: prepared(`INSERT INTO ${table} AS r (key, expires, fresh_until, lease_until)
SELECT u.key, 'infinity', 'infinity', ${later("u.duration")}
FROM unnest($1::text[], $2::uuid[], $3::float8[]) AS u(key, lease, duration), ${locked}
ON CONFLICT (key) DO UPDATE SET lease_until = EXCLUDED.lease_until
RETURNING r.key`),

    // Only reads a generation that lasts long enough. Prolongs others by a tenth more than asked,
    // which saves the next calls the write.
    ensure: prepared(`WITH asked AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS u(key, long_key, id)
), seen AS MATERIALIZED (
  SELECT a.key, a.long_key, a.id, f.bytes FROM asked AS a LEFT JOIN LATERAL (
    SELECT r.bytes FROM ${table} AS r
    WHERE r.key = a.key AND ${lives} AND ${isGeneration} AND r.expires >= ${later("$4::float8")} OFFSET 0
  ) AS f ON true
), made AS (
  INSERT INTO ${table} AS r (key, long_key, bytes, expires, fresh_until)
  SELECT key, long_key, ${newGeneration}, ${later("($4::float8 * 1.1)")}, 'infinity' FROM seen WHERE bytes IS NULL
  ON CONFLICT (key) DO UPDATE SET
    bytes = CASE WHEN ${lives} AND ${isGeneration} THEN r.bytes ELSE ${nextGeneration} END,
    expires = CASE WHEN ${lives} AND ${isGeneration} THEN greatest(r.expires, EXCLUDED.expires) ELSE EXCLUDED.expires END,
    fresh_until = 'infinity', lease = NULL, lease_until = NULL, written = EXCLUDED.written
  RETURNING key, bytes
) SELECT key, bytes FROM seen WHERE bytes IS NOT NULL UNION ALL SELECT key, bytes FROM made`),

    bump: prepared(`INSERT INTO ${table} AS r (key, long_key, bytes, expires, fresh_until)
SELECT key, long_key, ${newGeneration}, ${later("$4::float8")}, 'infinity'
FROM unnest($1::text[], $2::text[], $3::text[]) AS u(key, long_key, id)
ON CONFLICT (key) DO UPDATE SET bytes = ${nextGeneration}, expires = EXCLUDED.expires, fresh_until = 'infinity',
  lease = NULL, lease_until = NULL, written = EXCLUDED.written
RETURNING key, bytes`),
  };
}

function nameOf(text: string): string {
  return `cacheme_${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
}

/** Planned at each call, for the table and the parameters as they are then. */
function planned(text: string): Statement {
  return { name: undefined, text };
}
