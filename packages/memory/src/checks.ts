import { MOST_SLOTS } from "./table/slots.js";

/**
 * Checks of arguments. Each check runs before anything changes, and its error says what was
 * expected and what came. Types say most of this too, but they do not help JavaScript code, or a
 * ttl from the environment.
 */

/**
 * Maximum weight. A full cache and one more entry weigh twice that, which a number still counts
 * exactly.
 */
const MOST_WEIGHT = 2 ** 52;

export function checkMaxSize(maxSize: number): number {
  if (Number.isInteger(maxSize) && maxSize >= 1 && maxSize <= MOST_SLOTS) return maxSize;
  throw new RangeError(`maxSize must be an integer from 1 to ${MOST_SLOTS}, not ${shown(maxSize)}`);
}

export function checkMaxWeight(maxWeight: number): number {
  if (maxWeight === Number.POSITIVE_INFINITY) return maxWeight;
  if (Number.isInteger(maxWeight) && maxWeight >= 1 && maxWeight <= MOST_WEIGHT) return maxWeight;
  throw new RangeError(`maxWeight must be an integer from 1 to 2^52, or Infinity, not ${shown(maxWeight)}`);
}

/** Checks a duration in milliseconds: any positive number, `Infinity` for never. */
export function checkTime(name: string, milliseconds: number): number {
  if (typeof milliseconds === "number" && milliseconds > 0) return milliseconds;
  throw new RangeError(
    `${name} must be a positive number of milliseconds (Infinity: never), not ${shown(milliseconds)}`,
  );
}

/** Checks a time of any clock. A time that is not a number would stop the timer wheel. */
export function checkNow(now: number): number {
  if (Number.isFinite(now)) return now;
  throw new RangeError(`now must be a time in milliseconds, not ${shown(now)}`);
}

export function checkWeight(weight: number, key: unknown): number {
  if (Number.isInteger(weight) && weight >= 0 && weight <= MOST_WEIGHT) return weight;
  throw new RangeError(
    `The weight of an entry must be an integer from 0 to 2^52, not ${shown(weight)} (key: ${shown(key)})`,
  );
}

/** Checks a space and its key. Only string keys can have a space. */
export function checkSpace(space: number, key: string): void {
  if ((space | 0) !== space || space < 0)
    throw new RangeError(`A space must be an integer from 0 to 2^31 - 1, not ${shown(space)}`);
  if (typeof key !== "string")
    throw new TypeError(`A key with a space must be a string, not ${shown(key)}: convert it`);
}

export function checkFunction<F>(name: string, given: F): F {
  if (given === undefined || typeof given === "function") return given;
  throw new TypeError(`${name} must be a function, not ${shown(given)}`);
}

/** @throws TypeError if a method is missing */
export function checkMethods<T extends object>(name: string, given: T, methods: readonly (keyof T)[]): T {
  const missing = methods.filter((method) => typeof given?.[method] !== "function");
  if (missing.length === 0) return given;
  throw new TypeError(`${name} must have the method${missing.length > 1 ? "s" : ""} ${missing.join(", ")}`);
}

/** @throws TypeError if `given` is not an object, or if it has an unknown name */
export function checkNames(what: string, given: object, names: readonly string[], example: string): void {
  if (typeof given !== "object" || given === null)
    throw new TypeError(`${what} must be an object such as ${example}, not ${shown(given)}`);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const meant = elsewhere[unknown];
    throw new TypeError(
      `${what} include an unknown "${unknown}"${meant === undefined ? "" : `: use ${meant}`}. Known are ${names.join(", ")}`,
    );
  }
}

/** Names of the same options in other caches. */
const elsewhere: Readonly<Record<string, string>> = {
  max: "maxSize",
  capacity: "maxSize",
  maxAge: "ttl",
  dispose: "onRemoval",
  onEviction: "onRemoval",
  sizeCalculation: "weigher",
  size: "weight",
  updateAgeOnGet: "idle",
};

/** Formats a value for an error message. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `the string ${JSON.stringify(value)}`;
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "an array" : "an object";
    case "function":
      return "a function";
    default:
      return String(value);
  }
}
