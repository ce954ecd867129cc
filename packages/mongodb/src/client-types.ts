import type { Command, UpdateStatement } from "./commands.js";

/** The part of a `MongoClient` (npm package mongodb, 6.22 or later) that the storage uses. */
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

/** The part of a `Db` that the storage uses. */
export interface MongodbDatabase {
  readonly databaseName: string;
  collection(name: string, options?: { readonly readPreference: "primary" }): MongodbCollection;
  command(command: Command, options?: object): Promise<Readonly<Record<string, unknown>>>;
}

/** The part of a `Collection` that the storage uses. */
export interface MongodbCollection {
  readonly collectionName: string;
  readonly dbName: string;
  /** With a `w` of 0 the server acknowledges no write. */
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

/** The options of each command. It fails, and its connection closes, when the signal aborts. */
export interface CallOptions {
  readonly signal: AbortSignal;
}
