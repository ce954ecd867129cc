import { shown } from "../../option-checks.js";
import type { Serializer } from "../../serializer/serializer.js";
import { isThenable } from "../thenable.js";
import { checking, type Migrate, type ValueRules } from "./checking.js";
import { isStandardSchema, type StandardSchema } from "./standard-schema.js";

/** The check of stored values, and the way from the values of older versions to today's. */
export interface SchemaPolicy {
  /**
   * Checks each value that comes from a remote tier, by any validator with the interface Standard
   * Schema: Zod, Valibot, ArkType and others. Readers get what the schema returns, so its defaults
   * fill in new fields. A value that does not fit goes to {@link migrate}, or is a miss. A schema
   * that validates asynchronously is refused. Values of your `load` and of `set` are not checked.
   * Default: none.
   */
  readonly schema?: StandardSchema | undefined;
  /**
   * Makes a value of today out of an older one: of an entry of a version in {@link migratesFrom},
   * or of an entry of this version that does not fit the {@link schema}. The schema checks the
   * result. If it throws, the entry is a miss. It must not return a promise. Default: none.
   */
  readonly migrate?: Migrate | undefined;
  /**
   * The older versions whose entries are read, the oldest first. Their entries and those of this
   * version share their storage keys, which have the first version of the list. So an invalidation
   * by a program of any of these versions removes the entry of all, and reading an older entry costs
   * no further round trip. Entries of other versions are misses. Default: none.
   */
  readonly migratesFrom?: readonly (number | string)[] | undefined;
}

/** An older version whose entries are read. */
interface FormerVersion {
  readonly version: string;
  /** Reads a value of the version, and makes one of today out of it. */
  readonly serializer: Serializer;
}

/** A {@link SchemaPolicy}, checked. */
export interface ResolvedSchema {
  /** The serializer, which checks each value that it reads. */
  readonly serializer: Serializer;
  /** The version in the keys. */
  readonly keyVersion: string;
  readonly formerVersions: readonly FormerVersion[];
}

/**
 * Checks the options of the schema.
 *
 * @param version the class's own
 * @param checkVersion refuses a version that no key can have
 */
export function resolveSchema(
  policy: SchemaPolicy,
  given: Serializer,
  version: number | string,
  checkVersion: (version: string) => void,
  refuse: (what: string) => never,
): ResolvedSchema {
  const { schema, migrate, migratesFrom } = policy;
  if (schema !== undefined) checkSchema(schema, refuse);
  if (migrate !== undefined && typeof migrate !== "function")
    refuse(`has \`migrate: ${shown(migrate)}\`: expected a function (old, oldVersion) => value.`);
  if (migratesFrom !== undefined) checkVersions(migratesFrom, version, checkVersion, refuse);
  if (migratesFrom !== undefined && migrate === undefined)
    refuse(
      "has `migratesFrom` and no `migrate`: give the function that makes today's values out of the old.",
    );
  if (migrate !== undefined && migratesFrom === undefined && schema === undefined)
    refuse("has `migrate`, which is never called: give the older versions in `migratesFrom`, or a `schema`.");
  const rules: ValueRules = { schema, migrate };
  const serializer = schema === undefined ? given : checking(given, rules, version, false);
  const formerVersions = (migratesFrom ?? []).map((former) => ({
    version: String(former),
    serializer: checking(given, rules, former, true),
  }));
  return { serializer, keyVersion: String(migratesFrom?.[0] ?? version), formerVersions };
}

function checkSchema(schema: unknown, refuse: (what: string) => never): void {
  if (!isStandardSchema(schema)) {
    refuse(
      `has \`schema: ${shown(schema)}\`: expected a Standard Schema of version 1, such as z.object({ … }) of Zod 4.`,
    );
    return;
  }
  if (isAsynchronous(schema))
    refuse("has a `schema` that validates asynchronously: expected one that answers without a promise.");
}

/** Tries a value that hardly any schema takes. A schema may still answer others with a promise. */
function isAsynchronous(schema: StandardSchema): boolean {
  try {
    const result = schema["~standard"].validate(undefined);
    if (!isThenable(result)) return false;
    result.then(undefined, () => {});
    return true;
  } catch {
    return false;
  }
}

function checkVersions(
  versions: unknown,
  version: number | string,
  checkVersion: (version: string) => void,
  refuse: (what: string) => never,
): void {
  if (!Array.isArray(versions) || versions.length === 0) {
    refuse(`has \`migratesFrom: ${shown(versions)}\`: expected a list of older versions, such as [1, 2].`);
    return;
  }
  const seen = new Set([String(version)]);
  for (const each of versions as readonly unknown[]) {
    if (typeof each !== "string" && !Number.isFinite(each))
      refuse(`has ${shown(each)} in \`migratesFrom\`: expected versions, such as [1, 2].`);
    const text = String(each);
    checkVersion(text);
    if (seen.has(text))
      refuse(`has the version "${text}" in \`migratesFrom\` twice, or as its own: give each older one once.`);
    seen.add(text);
  }
}
