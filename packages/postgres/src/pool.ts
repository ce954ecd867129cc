/** The part of a pool of pg that the storage uses. A `Pool` of any version 8 has it. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
  readonly totalCount: number;
  readonly options: object;
}

/** The part of a pool's client that the storage uses. */
export interface PostgresPoolClient {
  query(config: PostgresQuery): Promise<PostgresAnswer>;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  release(destroy?: boolean): void;
}

/** A query for pg. */
export interface PostgresQuery {
  readonly name?: string | undefined;
  readonly text: string;
  readonly values?: (Buffer | string | number | null)[];
  readonly rowMode: "array";
  readonly types: { getTypeParser(type: number): (text: string) => unknown };
}

/** The part of pg's answer that the storage uses. */
export interface PostgresAnswer {
  readonly rows: unknown[][];
}
