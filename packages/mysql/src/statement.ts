/** A parameter of a statement. */
export type Parameter = Buffer | string | number | null;

/** A statement with its parameters. */
export interface Statement {
  readonly sql: string;
  readonly parameters?: readonly Parameter[];
}
