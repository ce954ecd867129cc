import type { Command, UpdateStatement } from "./commands.js";

/** What the storage needs of a `MongoClient` of the npm package mongodb, 6.22 or later. */
export interface MongodbClient {
  connect(): Promise<unknown>;
  db(name?: string): MongodbDatabase;
  /** For the storage's label only. */
  readonly options?: {
    readonly hosts?: readonly { toString(): string }[];
    readonly srvHost?: string | undefined;
    readonly dbName?: string | undefined;
  };
}

/** What the storage needs of a `Db`. */
export interface MongodbDatabase {
  readonly databaseName: string;
  collection(name: string, options?: { readonly readPreference: "primary" }): MongodbCollection;
  command(command: Command, options?: object): Promise<Readonly<Record<string, unknown>>>;
}

/** What the storage needs of a `Collection`. */
export interface MongodbCollection {
  readonly collectionName: string;
  readonly dbName: string;
  /** How much of a write the server answers: nothing where `w` is 0. */
  readonly writeConcern?: { readonly w?: number | string | undefined } | undefined;
  find(filter: object, options?: object): MongodbCursor;
  bulkWrite(statements: readonly UpdateStatement[], options?: object): Promise<MongodbBulkResult>;
  findOneAndUpdate(filter: object, update: object, options: object): Promise<object | null>;
  deleteMany(filter: object, options?: object): Promise<{ readonly deletedCount: number }>;
}

export interface MongodbCursor {
  toArray(): Promise<readonly object[]>;
}

export interface MongodbBulkResult {
  readonly matchedCount: number;
}

/** How a call is sent: it is given up, and its connection closed, when the signal aborts. */
export interface CallOptions {
  readonly signal: AbortSignal;
}
