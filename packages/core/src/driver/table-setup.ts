import { refusedConnection } from "./connect-trouble.js";
import type { DriverSettings } from "./driver-storage.js";

/** The checked settings of a storage in a table of an SQL server. */
export interface TableSettings extends DriverSettings {
  /** The table's name between quotes, with its schema or database if it has one. */
  readonly table: string;
  readonly createTable: boolean;
  readonly maxSize: number | undefined;
}

/** The statements by which {@link ensureTable} finds and makes a table. */
export interface TableSetup {
  /** Fails if the table or one of its columns is missing. */
  probe(): Promise<unknown>;
  /** Returns whether an error says that there is no table. */
  isMissing(error: unknown): boolean;
  create(): Promise<unknown>;
  /** Says how the user creates it, as the beginning of a sentence. */
  readonly remedy: string;
  /** Returns whether the table has the index that `maxSize` needs. */
  isBounded(): Promise<boolean>;
  /** Adds that index. */
  bound(): Promise<unknown>;
  /** Says how the user adds that index, as the beginning of a sentence. */
  readonly boundRemedy: string;
}

/**
 * Looks for the table, and for the index that `maxSize` needs. Creates what is missing, if the
 * storage may. A trial finds out whether an existing table works. For authors of storages.
 *
 * @throws StorageError `CACHEME_CONNECT_REFUSED` if something is missing that the storage may not
 *   create
 */
export async function ensureTable(settings: TableSettings, setup: TableSetup): Promise<void> {
  const { table, createTable, maxSize, label } = settings;
  const refused = (what: string, remedy: string, cause?: unknown): Error =>
    refusedConnection(label, what, remedy, cause);
  try {
    await setup.probe();
  } catch (error) {
    if (!setup.isMissing(error)) throw error;
    if (createTable) return void (await setup.create());
    throw refused(`there is no table ${table}`, `${setup.remedy}, or leave createTable: false out.`, error);
  }
  if (maxSize === undefined || (await setup.isBounded())) return;
  if (createTable) return void (await setup.bound());
  throw refused(`the table ${table} has no index for maxSize`, `${setup.boundRemedy}, or leave maxSize out.`);
}

/**
 * Quotes the parts of a name, which were checked (`tableName`): nothing in them has a meaning
 * between quotes. For authors of storages.
 */
export function quotedName(parts: readonly string[], quote: string): string {
  return parts.map((part) => quote + part + quote).join(".");
}
