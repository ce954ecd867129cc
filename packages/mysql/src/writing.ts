import type { StoredRecord } from "cacheme/driver";
import type { Commands } from "./commands.js";
import { bytesOf, times } from "./record.js";
import type { Parameter } from "./session.js";
import type { Ordered } from "./stored-id.js";

/** The statement that stores records, with its parameters. A large batch has thousands: they are put together in one go. */
export function writing(
  commands: Commands,
  rows: readonly Ordered<StoredRecord>[],
): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const isLong = rows.some(({ longKey }) => longKey !== null);
  const goesStale = rows.some(({ item }) => item.freshFor !== undefined);
  const parameters: Parameter[] = [];
  for (const { id, longKey, item } of rows) {
    const [keptFor, freshFor] = times(item);
    parameters.push(id, bytesOf(item), keptFor);
    if (isLong) parameters.push(longKey);
    if (goesStale) parameters.push(freshFor);
  }
  const besides = [
    ...(isLong ? (["long_key"] as const) : []),
    ...(goesStale ? (["fresh_for"] as const) : []),
  ];
  return { sql: commands.write(rows.length, besides), parameters };
}
