/** The parts of a lease's token. */
export interface LeaseToken {
  /** The CAS number that the item must still have. */
  readonly cas: string;
  /** Whether there were bytes beside the lease when it was granted. */
  readonly place: "alone" | "beside";
  /** The run of the server that gave the number. Each run counts from the beginning. */
  readonly run: string;
}

const written = /^([ab])([1-9]\d{0,19})\.([\w-]+)$/;

/** Writes a token as a string, for `Leases.fill` and `release`. */
export function tokenText({ cas, place, run }: LeaseToken): string {
  return `${place === "alone" ? "a" : "b"}${cas}.${run}`;
}

/** Reads a token. `undefined` if the string is not a token of this storage. */
export function tokenFrom(text: string): LeaseToken | undefined {
  const [, letter, cas, run] = written.exec(text) ?? [];
  if (cas === undefined || run === undefined) return undefined;
  return { cas, run, place: letter === "a" ? "alone" : "beside" };
}
