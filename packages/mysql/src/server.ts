import { isError, refusedConnection, type StorageError, unsupportedServer } from "cacheme/driver";
import { nameParameters, serverFacts } from "./commands.js";
import type { Settings } from "./options.js";
import { numberOf, serverErrors } from "./server-errors.js";
import type { Session } from "./session.js";
import { boundKey, tableStatement } from "./table.js";

/** Facts that the storage needs about the server. */
export interface ServerFacts {
  /** `MySQL`, `MariaDB`, or another product that speaks their protocol. */
  readonly product: string;
  readonly version: string;
  /** Bytes of one packet, at most: `max_allowed_packet`. */
  readonly packet: number;
  /**
   * Whether an INSERT can return the rows that it leaves: MariaDB can from 10.5 on, MySQL cannot.
   */
  readonly returns: boolean;
}

const oldest: Readonly<Record<string, readonly [number, number, number]>> = {
  MySQL: [8, 0, 13],
  MariaDB: [10, 5, 0],
};

const [noTable, noColumn, noDatabaseChosen, keyIsThere] = [1146, 1054, 1046, 1061];

/** A mode of MariaDB that stores a value of no bytes as NULL. */
const losesEmptyValues = /\bEMPTY_STRING_IS_NULL\b/;

/**
 * Asks the server for its facts, and creates the table if it is missing and may be created.
 *
 * @throws StorageError if the storage cannot work with the server; the message says what to do
 */
export async function serverOf(session: Session, settings: Settings): Promise<ServerFacts> {
  const [[version, packet, autocommit, comment, mode] = []] = await session.rows(serverFacts);
  if (Number(autocommit) !== 1) {
    throw refused(
      settings,
      "autocommit is off, so nothing that is written would last",
      "Switch autocommit on",
    );
  }
  if (losesEmptyValues.test(String(mode))) {
    throw refused(
      settings,
      "the sql_mode has EMPTY_STRING_IS_NULL, so values of no bytes would be lost",
      "Take it out of the server's sql_mode, or give a pool whose connections set another one",
    );
  }
  const facts = factsOf(String(version), Number(packet), String(comment));
  await ensureTable(session, settings, facts);
  return facts;
}

/**
 * Reads the facts. MariaDB names itself in its version, such as `10.11.6-MariaDB-0+deb12u1`, or in
 * its comment.
 */
export function factsOf(version: string, packet: number, comment: string): ServerFacts {
  const product = /\b(MariaDB|TiDB|Dolt|OceanBase|Vitess)\b/i.exec(`${version} ${comment}`)?.[1] ?? "MySQL";
  const isMariaDb = product.toLowerCase() === "mariadb";
  // Old versions begin with 5.5.5-, for replicas that did not know version 10.
  const number = /\d+(\.\d+)+/.exec(version.replace(/^5\.5\.5-/, ""))?.[0] ?? version;
  const [major = 0, minor = 0] = number.split(".").map(Number);
  const returns = isMariaDb && (major > 10 || (major === 10 && minor >= 5));
  return { product: isMariaDb ? "MariaDB" : product, version: number, packet, returns };
}

/** Returns whether the server is too old. Other products have version numbers of their own. */
function isTooOld({ product, version }: ServerFacts): boolean {
  const parts = version.split(".").map(Number);
  for (const [index, least] of (oldest[product] ?? []).entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

/**
 * Creates the table if it is missing. The trial of the calls finds an existing table that does not
 * work.
 */
async function ensureTable(session: Session, settings: Settings, facts: ServerFacts): Promise<void> {
  const { table, createTable, label, maxSize } = settings;
  const bounded = maxSize !== undefined;
  const found = `${facts.product} ${facts.version}`;
  try {
    await session.rows(session.commands.probe());
    if (bounded) await ensureBoundKey(session, settings);
    return;
  } catch (error) {
    const number = numberOf(error);
    if (number === noColumn) {
      throw refused(settings, `the table ${table} is not the storage's own`, "Name another table", error);
    }
    if (number === noDatabaseChosen) {
      throw refused(
        settings,
        "no database is chosen",
        "Name it in the address or in the option table",
        error,
      );
    }
    if (number !== noTable) throw error;
    if (isTooOld(facts)) throw unsupportedServer(label, found, serverErrors.trial.needs, { cause: error });
    if (!createTable) {
      const remedy = "Create it with the statement of mysqlTable(), or leave createTable: false out";
      throw refused(settings, `there is no table ${table}`, remedy, error);
    }
  }
  try {
    await session.change(tableStatement(table, bounded));
  } catch (cause) {
    const { errors, trial } = serverErrors;
    if (!isError(cause) || !errors.isAnswer?.(cause) || errors.remedyFor?.(cause) !== undefined) throw cause;
    throw unsupportedServer(label, found, trial.needs, {
      why: `the table could not be made: ${cause.message}`,
      cause,
    });
  }
}

async function ensureBoundKey(session: Session, settings: Settings): Promise<void> {
  const { table, createTable } = settings;
  const found = await session.rows(session.commands.boundProbe, nameParameters(table));
  if (found.length > 0) return;
  if (!createTable) {
    const remedy = `Run ALTER TABLE ${table} ADD ${boundKey}, or leave maxSize out`;
    throw refused(settings, `the table ${table} has no index for maxSize`, remedy);
  }
  try {
    await session.change(`ALTER TABLE ${table} ADD ${boundKey}`);
  } catch (error) {
    // Another process has added it meanwhile.
    if (numberOf(error) !== keyIsThere) throw error;
  }
}

function refused({ label }: Settings, why: string, remedy: string, cause?: unknown): StorageError {
  return refusedConnection(label, why, `${remedy}.`, cause);
}
