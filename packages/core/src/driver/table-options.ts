import type { Duration } from "../duration.js";
import type { ConnectionOptions } from "./connection-options.js";
import { flag, type OptionKind, tableOption, timer, wholeNumber } from "./option-kinds.js";
import { connectionRows } from "./option-table.js";

/** The options of a storage in a table of an SQL server. */
export interface TableOptions extends ConnectionOptions {
  /** The table's name, also with its schema or database: `"cacheme"`, `"cache.entries"`. Default `"cacheme"`. */
  readonly table?: string | undefined;
  /**
   * Whether the storage creates the table if it is missing. Give `false` for a database user that may not, and create the table
   * with a migration. Default `true`.
   */
  readonly createTable?: boolean | undefined;
  /**
   * About how many records the table may hold. When it holds more, the sweeper removes those that were written first, a few at
   * a time. The table gets an index for it, which costs each write some time. Default: no bound.
   */
  readonly maxSize?: number | undefined;
  /** Time between two removals of expired records. No read relies on it. Default `"1m"`. */
  readonly sweepInterval?: Duration | undefined;
}

type TableRows = typeof connectionRows & {
  readonly createTable: { readonly kind: OptionKind<boolean>; readonly default: boolean };
  readonly maxSize: { readonly kind: OptionKind<number> };
  readonly sweepInterval: { readonly kind: OptionKind<number>; readonly default: Duration };
  readonly table: { readonly kind: OptionKind<readonly string[]>; readonly default: string };
};

/** {@link TableOptions} for `OptionTable`. For authors of storages. */
export const tableRows: TableRows = {
  ...connectionRows,
  createTable: { kind: flag, default: true },
  maxSize: { kind: wholeNumber(1) },
  sweepInterval: { kind: timer, default: "1m" },
  table: { kind: tableOption, default: "cacheme" },
};
