/** What the storage needs of a pool of pg. A `Pool` of any version 8 is one. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
  readonly totalCount: number;
  readonly options: object;
}

/** What the storage needs of a client that a pool lends. */
export interface PostgresPoolClient {
  query(config: PostgresQuery): Promise<PostgresAnswer>;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  release(destroy?: boolean): void;
}

/** A query as pg is given it. */
export interface PostgresQuery {
  readonly name?: string | undefined;
  readonly text: string;
  readonly values?: (Buffer | string | number | null)[];
  readonly rowMode: "array";
  readonly types: { getTypeParser(type: number): (text: string) => unknown };
}

/** The part of pg's answer that is used. */
export interface PostgresAnswer {
  readonly rows: unknown[][];
}
