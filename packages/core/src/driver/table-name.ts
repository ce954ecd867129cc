import { optionError, shown } from "../option-checks.js";

const name = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/**
 * Returns the parts of a table's name, `["cacheme"]` or `["schema", "cacheme"]`. Each is a letter
 * or `_`, then letters, digits and `_`, 63 at most. Such a part is safe between the quotes of any
 * database. For authors of storages.
 *
 * @param where the function that takes the name, such as `"postgres()"`
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function tableName(value: string, where: string): readonly string[] {
  const parts = typeof value === "string" ? value.split(".") : [];
  if ((parts.length === 1 || parts.length === 2) && parts.every((part) => name.test(part))) return parts;
  throw optionError(
    `The option table of ${where} is ${shown(value)}. Give a name of letters, digits and "_" that does not begin with a ` +
      'digit, such as "cacheme", or one with its schema, such as "cache.entries".',
  );
}
