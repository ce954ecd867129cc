import {
  ensureTable,
  isError,
  refusedConnection,
  type StorageError,
  unsupportedServer,
} from "cacheme/driver";
import type { Settings } from "./options.js";
import { numberOf, serverErrors } from "./server-errors.js";
import type { Session } from "./session.js";
import { boundKey, boundProbe, probe, serverFacts, tableStatement } from "./table.js";

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

const [noTable, noColumn, keyIsThere] = [1146, 1054, 1061];

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
    const fault = "autocommit is off, so nothing that is written would last";
    throw refusedConnection(settings.label, fault, "Switch autocommit on.");
  }
  if (losesEmptyValues.test(String(mode))) {
    const fault = "the sql_mode has EMPTY_STRING_IS_NULL, so values of no bytes would be lost";
    const remedy = "Take it out of the server's sql_mode, or give a pool whose connections set another one.";
    throw refusedConnection(settings.label, fault, remedy);
  }
  const facts = factsOf(String(version), Number(packet), String(comment));
  await makeTable(session, settings, facts);
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

/** Looks for the table, and creates it if it is missing. */
function makeTable(session: Session, settings: Settings, facts: ServerFacts): Promise<void> {
  const { table, label, maxSize } = settings;
  const { errors, trial } = serverErrors;
  const unsupported = (cause?: Error): StorageError =>
    unsupportedServer(label, `${facts.product} ${facts.version}`, trial.needs, {
      why: cause && `the table could not be made: ${cause.message}`,
      cause,
    });
  return ensureTable(settings, {
    remedy: "Create it with the statement of mysqlTable()",
    async probe() {
      try {
        await session.rows(probe(table));
      } catch (error) {
        if (numberOf(error) !== noColumn) throw error;
        throw refusedConnection(
          label,
          `the table ${table} is not the storage's own`,
          "Name another one.",
          error,
        );
      }
    },
    isMissing: (error) => numberOf(error) === noTable,
    async create() {
      if (isTooOld(facts)) throw unsupported();
      try {
        await session.change({ sql: tableStatement(table, maxSize !== undefined) });
      } catch (cause) {
        const isUnknown =
          isError(cause) && errors.isAnswer?.(cause) && errors.remedyFor?.(cause) === undefined;
        throw isUnknown ? unsupported(cause) : cause;
      }
    },
    isBounded: async () => (await session.rows(boundProbe(table))).length > 0,
    async bound() {
      try {
        await session.change({ sql: `ALTER TABLE ${table} ADD ${boundKey}` });
      } catch (error) {
        // Another process has added it meanwhile.
        if (numberOf(error) !== keyIsThere) throw error;
      }
    },
    boundRemedy: `Run ALTER TABLE ${table} ADD ${boundKey}`,
  });
}
