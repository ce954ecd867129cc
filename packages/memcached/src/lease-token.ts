/** What a lease's token says. */
export interface LeaseToken {
  /** The number that the item must still have. */
  readonly cas: string;
  /** Whether there were bytes beside the lease when it was given. */
  readonly place: "alone" | "beside";
  /** The run of the server that gave the number: another one counts anew. */
  readonly run: string;
}

const written = /^([ab])([1-9]\d{0,19})\.([\w-]+)$/;

/** As text, for `Leases.fill` and `release`. */
export function tokenText({ cas, place, run }: LeaseToken): string {
  return `${place === "alone" ? "a" : "b"}${cas}.${run}`;
}

/** `undefined` for a text that is no token of ours. */
export function tokenFrom(text: string): LeaseToken | undefined {
  const [, letter, cas, run] = written.exec(text) ?? [];
  if (cas === undefined || run === undefined) return undefined;
  return { cas, run, place: letter === "a" ? "alone" : "beside" };
}
