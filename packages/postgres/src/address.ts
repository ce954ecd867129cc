import { optionError } from "cacheme/driver";
import type pg from "pg";

/** Options of pg that the storage does not take, in an address neither, and why, or what to use in their place. */
export const notTaken: Readonly<Record<string, string>> = {
  allowExitOnIdle: "a connection of the storage never keeps a finished program alive",
  binary: "pg reads bytes wrongly in that form",
  connectionString: "give the address alone, or its parts as options",
  connectionTimeoutMillis: "give connectTimeout as an option of the storage",
  query_timeout: "give commandTimeout as an option of the storage",
  statement_timeout: "give commandTimeout as an option of the storage",
};

/** Options of a pool, which pg does not look for in an address. */
const ofPool: ReadonlySet<string> = new Set([
  "idleTimeoutMillis",
  "keepAlive",
  "keepAliveInitialDelayMillis",
  "max",
  "maxLifetimeSeconds",
  "maxUses",
]);

/**
 * What pg is to be told of an address. Parameters of the server's are pg's to read; what it would leave unread, or would
 * let undo what the storage rests on, is refused. The address itself stays out of messages: it may hold a password.
 *
 * @param ofStorage the names of the storage's own options
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function fromAddress(text: string, ofStorage: readonly string[]): pg.PoolConfig {
  if (!/^postgres(ql)?:\/\//i.test(text) || !URL.canParse(text)) {
    throw optionError(
      'postgres() was given a text that is not an address of a PostgreSQL server. Write "postgres://host:5432/database"; ' +
        '"postgresql://" means the same.',
    );
  }
  const url = new URL(text);
  for (const name of url.searchParams.keys()) {
    const instead = ofStorage.includes(name)
      ? "give it as an option of the storage"
      : ofPool.has(name)
        ? "give host, database and the like as an object, and it with them"
        : notTaken[name];
    if (instead !== undefined) {
      throw optionError(`postgres() does not take the parameter ${name} in an address: ${instead}.`);
    }
  }
  // pg would put these in the place of the storage's own settings of the session, not beside them.
  const options = url.searchParams.getAll("options").at(-1);
  if (options === undefined) return { connectionString: text };
  url.searchParams.delete("options");
  return { connectionString: url.href, options };
}
