import type { StoredRecord } from "cacheme/driver";
import { isError } from "cacheme/driver";
import type { Place } from "./client.js";
import type { Command, UpdateStatement } from "./commands.js";
import type { CallOptions, MongodbCollection, MongodbDatabase } from "./driver.js";
import type { RecordDocument } from "./record.js";
import type { ServerClock } from "./server-clock.js";

/** What leases and generations need of their storage. */
export interface CollectionCalls {
  readonly label: string;
  /** Makes one call, within the deadline. */
  run<T>(action: string, act: (call: CollectionCall) => Promise<T>): Promise<T>;
  /** Refuses keys and values that no document can hold. */
  checkRecords(records: readonly StoredRecord[]): void;
}

/** How values come back, whatever the settings of a user's own client are. */
const decoding = {
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: true,
  useBigInt64: false,
  raw: false,
};

/** A key that is there already. */
const duplicateKey = 11000;

/** One call of the storage that is under way: what it sends is given up when its time is over. */
export class CollectionCall {
  readonly clock: ServerClock;
  readonly database: MongodbDatabase;
  readonly collection: MongodbCollection;
  readonly options: CallOptions;

  constructor({ database, collection }: Place, clock: ServerClock, options: CallOptions) {
    this.database = database;
    this.collection = collection;
    this.clock = clock;
    this.options = options;
  }

  /** All documents that match, in one round trip where they fit into 16 MiB. */
  async find(filter: Command, projection: Command, size = 1000): Promise<readonly RecordDocument[]> {
    const options = { ...decoding, ...this.options, projection, batchSize: size + 1 };
    // Documents of our own collection, which only these commands write.
    return (await this.collection.find(filter, options).toArray()) as readonly RecordDocument[];
  }

  /** The first keys that match, in their order. */
  async page(filter: Command, size: number): Promise<readonly Pick<RecordDocument, "_id">[]> {
    const options = {
      ...this.options,
      projection: { _id: 1 },
      sort: { _id: 1 },
      limit: size,
      batchSize: size + 1,
    };
    // What the projection leaves.
    return (await this.collection.find(filter, options).toArray()) as readonly Pick<RecordDocument, "_id">[];
  }

  /** How many documents were found. */
  async update(statements: readonly UpdateStatement[]): Promise<number> {
    const { matchedCount } = await this.collection.bulkWrite(statements, { ...this.options, ordered: false });
    return matchedCount;
  }

  /**
   * Updates what matches and inserts what is not there.
   *
   * @param mustLand whether the statement's filter is its key alone. Two that insert one key at once may still collide;
   *   then the document is there, and the statement is sent once more.
   * @returns the statements, by their place, that neither could be done: their document is there and does not match
   */
  async upsert(
    statements: readonly UpdateStatement[],
    mustLand: (index: number) => boolean,
  ): Promise<readonly number[]> {
    const refused = await this.#collisions(statements);
    const again = refused.filter(mustLand);
    if (again.length > 0) {
      // Each index is one of a statement.
      await this.update(statements.filter((_, index) => again.includes(index))).catch(withoutPlaces);
    }
    return refused.filter((index) => !mustLand(index));
  }

  /**
   * Updates one document, or inserts it, and answers what it is now, in one round trip.
   *
   * @returns `undefined` where it is there and does not match
   */
  async upsertOne(
    filter: Command,
    update: Command,
    projection: Command,
  ): Promise<RecordDocument | undefined> {
    const options = { ...decoding, ...this.options, projection, upsert: true, returnDocument: "after" };
    const result = { includeResultMetadata: false };
    try {
      const document = await this.collection.findOneAndUpdate(filter, update, { ...options, ...result });
      // A document of our own collection, as in `find`.
      return (document ?? undefined) as RecordDocument | undefined;
    } catch (error) {
      if (isError(error) && "code" in error && error.code === duplicateKey) return undefined;
      throw error;
    }
  }

  async #collisions(statements: readonly UpdateStatement[]): Promise<readonly number[]> {
    try {
      await this.update(statements);
      return [];
    } catch (error) {
      const errors = writeErrorsOf(error);
      if (errors === undefined || errors.some(({ code }) => code !== duplicateKey)) throw error;
      return errors.map(({ index }) => index);
    }
  }
}

/** The places of a second batch would be taken for places of the first, and other keys named than those that were refused. */
function withoutPlaces(error: unknown): never {
  if (isError(error) && writeErrorsOf(error) !== undefined) throw new Error(error.message);
  throw error;
}

/** What the server says against one statement of a `bulkWrite`. */
export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
}

/** The statements that the server refused, `undefined` where an error is about something else. */
export function writeErrorsOf(error: unknown): readonly WriteError[] | undefined {
  if (!isError(error) || error.name !== "MongoBulkWriteError") return undefined;
  // One error or several: the driver's own type.
  const { writeErrors } = error as Error & { readonly writeErrors?: WriteError | readonly WriteError[] };
  const errors = writeErrors === undefined ? [] : [writeErrors].flat();
  return errors.length === 0 ? undefined : errors;
}
