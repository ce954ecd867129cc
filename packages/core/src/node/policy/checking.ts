import { asError } from "../../errors.js";
import type { Serializer } from "../../serializer/serializer.js";
import { withUnchecked } from "../../serializer/unchecked.js";
import { UnfitValue } from "../../serializer/unfit-value.js";
import { isThenable } from "../thenable.js";
import { pathOf, type StandardIssue, type StandardSchema } from "./standard-schema.js";

/**
 * Makes a value of today out of one that an older version of the program has stored.
 *
 * @param old the value as it was stored
 * @param oldVersion the version that stored it
 */
export type Migrate = (old: unknown, oldVersion: number | string) => unknown;

/** The rules for the values that a class reads from remote tiers. */
export interface ValueRules {
  readonly schema: StandardSchema | undefined;
  readonly migrate: Migrate | undefined;
}

/**
 * Returns the same serializer, which checks each value that it reads. An error makes the entry a
 * miss.
 *
 * @param version the version of the entries that it reads
 * @param isFormer whether the version is an older one, so that each value is migrated
 */
export function checking(
  serializer: Serializer,
  rules: ValueRules,
  version: number | string,
  isFormer: boolean,
): Serializer {
  const { codec, compression, maxDecompressedSize } = serializer;
  const accept = isFormer ? migrated : fitting;
  const checked: Serializer = {
    codec,
    compression,
    maxDecompressedSize,
    encode: (value, context) => serializer.encode(value, context),
    decode: (bytes, context) => accept(rules, serializer.decode(bytes, context), version),
  };
  return withUnchecked(checked, serializer);
}

/** Returns the value if it fits, else what `migrate` makes of it. */
function fitting(rules: ValueRules, value: unknown, version: number | string): unknown {
  const { schema, migrate } = rules;
  if (schema === undefined) return value;
  const checked = check(schema, value);
  if (checked.issues === undefined) return checked.value;
  if (migrate === undefined) throw unfit("The stored value", checked.issues);
  return migrated(rules, value, version);
}

function migrated({ schema, migrate }: ValueRules, old: unknown, version: number | string): unknown {
  const value = migrate === undefined ? old : callMigrate(migrate, old, version);
  if (schema === undefined) return value;
  const checked = check(schema, value);
  if (checked.issues === undefined) return checked.value;
  throw unfit(`The result of migrate(old, ${JSON.stringify(version)})`, checked.issues);
}

function callMigrate(migrate: Migrate, old: unknown, version: number | string): unknown {
  const call = `migrate(old, ${JSON.stringify(version)})`;
  let value: unknown;
  try {
    value = migrate(old, version);
  } catch (thrown) {
    const error = asError(thrown);
    throw new UnfitValue(`${call} has thrown: ${error.message}`, "$", { cause: thrown });
  }
  if (!isThenable(value)) return value;
  value.then(undefined, () => {});
  throw new UnfitValue(
    `${call} returned a promise. Expected a value: migrate runs while an entry is read.`,
    "$",
  );
}

function check(schema: StandardSchema, value: unknown) {
  let result: ReturnType<StandardSchema["~standard"]["validate"]>;
  try {
    result = schema["~standard"].validate(value);
  } catch (thrown) {
    throw new UnfitValue(`The schema has thrown: ${asError(thrown).message}`, "$", { cause: thrown });
  }
  if (!isThenable(result)) return result;
  result.then(undefined, () => {});
  throw new UnfitValue("The schema answered with a promise. Expected one that validates synchronously.", "$");
}

function unfit(subject: string, issues: readonly StandardIssue[]): UnfitValue {
  const [first] = issues;
  const path = first === undefined ? "$" : pathOf(first);
  const others = issues.length > 1 ? ` (and ${issues.length - 1} more issues)` : "";
  return new UnfitValue(`${subject} does not fit the schema at ${path}: ${first?.message}${others}.`, path);
}
