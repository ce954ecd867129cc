import { optionError, parseAddress } from "cacheme/driver";
import type pg from "pg";

/**
 * Options of pg that neither an address nor an object may have, and why, or what to use instead.
 */
export const refusedOptions: Readonly<Record<string, string>> = {
  allowExitOnIdle: "a connection of the storage never keeps a finished program alive",
  binary: "pg reads bytes wrongly in that form",
  connectionString: "give the address alone, or its parts as options",
  connectionTimeoutMillis: "give connectTimeout as an option of the storage",
  query_timeout: "give commandTimeout as an option of the storage",
  statement_timeout: "give commandTimeout as an option of the storage",
};

/** Options of a pool, which pg does not read from an address. */
const poolOptions =
  /^(idleTimeoutMillis|keepAlive|keepAliveInitialDelayMillis|max|maxLifetimeSeconds|maxUses)$/;

/**
 * Returns the options of pg for an address. pg reads the server's parameters itself. A parameter
 * that pg would not read, or with which the storage would not work, is an error.
 *
 * @param storageOptions the names of the storage's own options
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`, without the address: it may hold a password
 */
export function fromAddress(text: string, storageOptions: readonly string[]): pg.PoolConfig {
  const { scheme = "", parameters } = parseAddress(text) ?? {};
  if (!/^postgres(ql)?$/.test(scheme) || parameters === undefined || !URL.canParse(text)) {
    throw optionError(
      'postgres() was given a text that is not an address of a PostgreSQL server. Write "postgres://host:5432/database"; ' +
        '"postgresql://" means the same.',
    );
  }
  for (const name of parameters.keys()) {
    const instead = storageOptions.includes(name)
      ? "give it as an option of the storage"
      : poolOptions.test(name)
        ? "give host, database and the like as an object, and it with them"
        : refusedOptions[name];
    if (instead !== undefined) {
      throw optionError(`postgres() does not take the parameter ${name} in an address: ${instead}.`);
    }
  }
  // pg would replace the storage's own settings of the session by these.
  const options = parameters.getAll("options").at(-1);
  if (options === undefined) return { connectionString: text };
  parameters.delete("options");
  const connectionString = [text.split("?", 1)[0], ...(parameters.size > 0 ? [parameters] : [])].join("?");
  return { connectionString, options };
}
