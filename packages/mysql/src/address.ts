import { type ConfigurationError, optionError } from "cacheme/driver";
import type { PoolOptions } from "mysql2";

/** What an address says, as options of mysql2. */
type Address = Pick<
  PoolOptions,
  "connectionLimit" | "database" | "host" | "password" | "port" | "ssl" | "user"
>;

const usualPort = 3306;

/**
 * Reads `mysql://user:password@host:port/database?ssl=true&connectionLimit=20`; `mariadb://` means the same.
 *
 * @throws ConfigurationError whose message holds nothing of the address: there may be a password in it
 */
export function optionsOf(text: string): Address {
  const isAddress = /^(mysql|mariadb):\/\//i.test(text) && URL.canParse(text);
  if (!isAddress) throw invalid("was given a text that is not an address of a MySQL server");
  const url = new URL(text);
  const address: Address = {
    host: url.hostname === "" ? "localhost" : decoded(url.hostname.replace(/^\[(.*)\]$/, "$1")),
    port: url.port === "" ? usualPort : Number(url.port),
    user: decoded(url.username),
    password: decoded(url.password),
    database: decoded(url.pathname.slice(1)),
  };
  for (const [name, value] of url.searchParams) {
    if (name === "ssl") Object.assign(address, secured(value));
    else if (name === "connectionLimit") address.connectionLimit = limit(value);
    else {
      throw invalid(`was given an address with the parameter ${name}. It takes ssl and connectionLimit`);
    }
  }
  return address;
}

/** `mysql://host:port/database`, for messages. */
export function addressOf({
  host = "localhost",
  port = usualPort,
  database,
  socketPath,
}: PoolOptions): string {
  if (socketPath) return `mysql:${socketPath}${database ? `/${database}` : ""}`;
  return `mysql://${host.includes(":") ? `[${host}]` : host}:${port}${database ? `/${database}` : ""}`;
}

/** `true` verifies the server's certificate as mysql2 does by default; else the name of a profile of mysql2. */
function secured(value: string): Address {
  if (value === "false") return {};
  return { ssl: value === "true" || value === "" ? {} : value };
}

function limit(value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw invalid("was given an address whose parameter connectionLimit is not a whole number from 1");
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid('was given an address with a "%" that is no escape (write it as "%25")');
  }
}

function invalid(fault: string): ConfigurationError {
  return optionError(
    `mysql() ${fault}. Write "mysql://user:password@host:3306/database"; "mariadb://" means the same.`,
  );
}
