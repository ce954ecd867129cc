/** The statements of a journal's table. */
export interface JournalCommands {
  readonly probe: string;
  readonly append: string;
  readonly claim: string;
  readonly extend: string;
  readonly complete: string;
  readonly fail: string;
  readonly read: string;
  readonly counts: string;
  readonly deadLetters: string;
  readonly requeue: string;
  readonly drop: string;
}

/** Returns the SQL of so many milliseconds. */
const ms = (value: string): string => `${value} * interval '1 millisecond'`;

/**
 * Returns the statements. Each is one round trip and sees the server's clock.
 *
 * Rows are locked in the order of their keys, so that two batches of common keys do not wait for
 * each other. A claim skips the rows that others are claiming.
 *
 * @param journal the table's quoted name
 */
export function journalCommands(journal: string): JournalCommands {
  return {
    probe: `SELECT key, long_key, node, bytes, version, attempts, due, token, until, reason, at FROM ${journal} LIMIT 0`,
    append: `INSERT INTO ${journal} AS j (key, long_key, node, bytes, version, attempts, due)
SELECT g.key, g.long_key, g.node, g.bytes, 1, 0, clock_timestamp() + ${ms("$5::double precision")}
FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS g (key, long_key, node, bytes) ORDER BY g.key
ON CONFLICT (key) DO UPDATE SET node = excluded.node, bytes = excluded.bytes, version = j.version + 1, attempts = 0,
  due = least(j.due, excluded.due), reason = NULL, at = NULL`,
    claim: `WITH due AS MATERIALIZED (
  SELECT key FROM ${journal} WHERE reason IS NULL AND node = ANY ($1::text[]) AND (
    (token IS NULL AND due <= clock_timestamp() + ${ms("CASE WHEN attempts = 0 THEN $2::double precision ELSE 0 END")})
    OR (token IS NOT NULL AND until <= clock_timestamp()))
  ORDER BY due LIMIT $3::integer FOR UPDATE SKIP LOCKED)
UPDATE ${journal} AS j SET token = $4::text, until = clock_timestamp() + ${ms("$5::double precision")}, due = 'infinity'
FROM due WHERE j.key = due.key
RETURNING coalesce(j.long_key, j.key), j.node, j.bytes, j.version, j.attempts`,
    extend: `WITH own AS (SELECT j.key FROM ${journal} AS j JOIN unnest($1::text[], $2::text[]) AS g (key, token)
  ON j.key = g.key AND j.token = g.token ORDER BY j.key FOR UPDATE OF j)
UPDATE ${journal} AS j SET until = clock_timestamp() + ${ms("$3::double precision")} FROM own WHERE j.key = own.key`,
    complete: `WITH own AS MATERIALIZED (SELECT j.key, j.version = g.version AS is_same FROM ${journal} AS j
  JOIN unnest($1::text[], $2::text[], $3::double precision[]) AS g (key, token, version)
  ON j.key = g.key AND j.token = g.token ORDER BY j.key FOR UPDATE OF j),
done AS (DELETE FROM ${journal} AS j USING own WHERE j.key = own.key AND own.is_same)
UPDATE ${journal} AS j SET token = NULL, until = NULL FROM own WHERE j.key = own.key AND NOT own.is_same`,
    fail: `WITH own AS MATERIALIZED (SELECT j.key, j.version = g.version AS is_same, g.delay, g.reason FROM ${journal} AS j
  JOIN unnest($1::text[], $2::text[], $3::double precision[], $4::double precision[], $5::text[])
    AS g (key, token, version, delay, reason)
  ON j.key = g.key AND j.token = g.token ORDER BY j.key FOR UPDATE OF j)
UPDATE ${journal} AS j SET token = NULL, until = NULL,
  attempts = CASE WHEN own.is_same THEN j.attempts + 1 ELSE j.attempts END,
  due = CASE WHEN NOT own.is_same THEN j.due WHEN own.delay IS NULL THEN 'infinity'
    ELSE clock_timestamp() + ${ms("own.delay")} END,
  reason = CASE WHEN own.is_same AND own.delay IS NULL THEN own.reason END,
  at = CASE WHEN own.is_same AND own.delay IS NULL THEN clock_timestamp() END
FROM own WHERE j.key = own.key`,
    read: `SELECT j.bytes FROM unnest($1::text[]) WITH ORDINALITY AS g (key, place)
LEFT JOIN ${journal} AS j ON j.key = g.key AND j.reason IS NULL ORDER BY g.place`,
    counts: `SELECT node, count(*) FILTER (WHERE reason IS NULL), count(*) FILTER (WHERE reason IS NOT NULL)
FROM ${journal} GROUP BY node ORDER BY node`,
    deadLetters: `SELECT coalesce(long_key, key), node, bytes, attempts, reason, round(extract(epoch FROM at) * 1000)
FROM ${journal} WHERE reason IS NOT NULL ORDER BY at LIMIT $1::integer`,
    requeue: `UPDATE ${journal} SET reason = NULL, at = NULL, attempts = 0, due = clock_timestamp()
WHERE key = ANY ($1::text[]) AND reason IS NOT NULL RETURNING 1`,
    drop: `DELETE FROM ${journal} WHERE key = ANY ($1::text[]) AND reason IS NOT NULL RETURNING 1`,
  };
}
