/**
 * The part of Standard Schema, version 1, that Cacheme calls: standardschema.dev. Zod, Valibot,
 * ArkType and many other validators have it.
 */
export interface StandardSchema {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult | PromiseLike<StandardResult>;
  };
}

/** The answer of a schema: the value, perhaps with defaults filled in, or the issues. */
export type StandardResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** A reason why a value does not fit a schema. */
export interface StandardIssue {
  readonly message: string;
  readonly path?:
    | readonly (string | number | symbol | { readonly key: string | number | symbol })[]
    | undefined;
}

/** Returns whether the value has the interface of a Standard Schema. ArkType's are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  if (typeof standard !== "object" || standard === null) return false;
  return Reflect.get(standard, "version") === 1 && typeof Reflect.get(standard, "validate") === "function";
}

/** Returns the place of an issue, such as `$.orders[3].total`. */
export function pathOf({ path = [] }: StandardIssue): string {
  let text = "$";
  // Not by `map`: a path of ArkType is an array of a class of its own, whose constructor `map` calls.
  for (const step of path) {
    const key = typeof step === "object" ? step.key : step;
    text += typeof key === "number" ? `[${key}]` : `.${String(key)}`;
  }
  return text;
}
