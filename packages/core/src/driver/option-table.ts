import type { Duration } from "../duration.js";
import { optionError, refuseUnknownOptions } from "../option-checks.js";
import { type OptionKind, oneOf, timer } from "./option-kinds.js";

/** One option of a storage. */
export interface OptionRow<T> {
  readonly kind: OptionKind<T>;
  /**
   * The value if the option is left out, as a user would write it. Default: none, so the option
   * stays `undefined`.
   */
  readonly default?: unknown;
  /** Whether `undefined` is refused like every other invalid value. Default `false`. */
  readonly isRequired?: boolean | undefined;
  /**
   * Whether an address may have the option as a parameter, as in
   * `mysql://host/database?connectionLimit=20`. Default `false`.
   */
  readonly inAddress?: boolean | undefined;
  /**
   * A second name under which the checked value is found if the user gave the option, and not if it
   * is the default. Default: none.
   */
  readonly ifGiven?: string | undefined;
}

/** The options of a storage by their names. */
export interface OptionRows {
  readonly [name: string]: OptionRow<unknown>;
}

/**
 * The checked options: `undefined` only if the table has no default, and the option is not
 * required.
 */
export type Checked<Rows extends OptionRows> = {
  readonly [Name in keyof Rows]: Rows[Name] extends OptionRow<infer T>
    ? Rows[Name] extends { readonly default: unknown } | { readonly isRequired: true }
      ? T
      : T | undefined
    : never;
};

/**
 * The options that a storage takes, in one table that checks objects and addresses. The options'
 * types stay written by hand, with their doc comments. For authors of storages.
 *
 * @example
 * ```ts
 * const options = new OptionTable("couch()", {
 *   ...connectionRows, // connect, commandTimeout, connectTimeout
 *   batchSize: { kind: wholeNumber(1), default: 100, inAddress: true },
 *   sweepInterval: { kind: timer, default: "1m" },
 * });
 * const { batchSize, sweepInterval } = options.check(given); // numbers
 * ```
 */
export class OptionTable<const Rows extends OptionRows> {
  /** The options' names, in order. */
  readonly names: readonly string[];
  readonly #where: string;
  readonly #rows: Rows;

  /** @param where the function that takes the options, such as `"couch()"` */
  constructor(where: string, rows: Rows) {
    this.#where = where;
    this.#rows = rows;
    this.names = Object.keys(rows).sort();
  }

  /**
   * Checks a user's options, and fills in the defaults.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an unknown option or an invalid value,
   *   `CACHEME_INVALID_DURATION` for an invalid time
   */
  check(options: object): Checked<Rows> {
    refuseUnknownOptions(options, this.names, this.#where);
    const checked = Object.entries(this.#rows).flatMap(([name, row]) => {
      const given: unknown = Reflect.get(options, name);
      const value = given === undefined ? row.default : given;
      const isLeftOut = value === undefined && row.isRequired !== true;
      const result = isLeftOut ? undefined : row.kind.check(value, { name, where: this.#where });
      const again = given === undefined || row.ifGiven === undefined ? [] : [[row.ifGiven, result]];
      return [[name, result], ...again];
    });
    // Each row has the value that its own kind has checked.
    return Object.fromEntries(checked) as Checked<Rows>;
  }

  /**
   * Reads the parameters of an address, as options that {@link check} takes.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for a parameter that is not an option, or
   *   may not be in an address
   */
  fromParameters(parameters: URLSearchParams): { readonly [name: string]: unknown } {
    const options: { [name: string]: unknown } = {};
    for (const [name, text] of parameters) {
      const row = this.names.includes(name) ? this.#rows[name] : undefined;
      if (row?.inAddress !== true) throw this.#refused(name, row !== undefined);
      options[name] = row.kind.fromText === undefined ? text : row.kind.fromText(text);
    }
    return options;
  }

  #refused(name: string, isOption: boolean): Error {
    const taken = this.names.filter((one) => this.#rows[one]?.inAddress === true);
    const remedy = isOption
      ? "Give it as an option"
      : taken.length === 0
        ? "Leave it out"
        : `It takes ${taken.join(", ")}`;
    return optionError(`${this.#where} got an address with the unsupported parameter ${name}. ${remedy}.`);
  }
}

/** Makes a row of one kind for each option, without a default. For authors of storages. */
export function rowsOf<T, const Name extends string>(
  kind: OptionKind<T>,
  names: readonly Name[],
): { readonly [name in Name]: OptionRow<T> } {
  const rows = names.map((name) => [name, { kind }]);
  // Each name has a row.
  return Object.fromEntries(rows) as { readonly [name in Name]: OptionRow<T> };
}

/** A row whose checked option is never `undefined`. */
type DefaultedRow<T> = OptionRow<T> & { readonly default: Duration | string };

type ConnectionRows = {
  readonly connect: DefaultedRow<"eager" | "lazy">;
  readonly commandTimeout: DefaultedRow<number>;
  readonly connectTimeout: DefaultedRow<number>;
};

/** The options of every storage over a server, for {@link OptionTable}. */
export const connectionRows: ConnectionRows = {
  connect: { kind: oneOf("eager", "lazy"), default: "eager" },
  commandTimeout: { kind: timer, default: "1s", ifGiven: "deadline" },
  connectTimeout: { kind: timer, default: "2s" },
};
