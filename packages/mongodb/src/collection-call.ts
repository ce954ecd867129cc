import { isError } from "cacheme/driver";
import type { Place } from "./client.js";
import type { CallOptions, MongodbCollection, MongodbDatabase } from "./client-types.js";
import type { Command, UpdateStatement } from "./commands.js";
import type { RecordDocument, WrittenAt } from "./record.js";
import type { ServerClock } from "./server-clock.js";
import { writeErrorsOf } from "./trouble.js";

/** How values are decoded, whatever the settings of the program's own client are. */
const decoding = {
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: true,
  useBigInt64: false,
  raw: false,
};

/** The server's code for a key that is there already. */
const duplicateKey = 11000;

/** One call of the storage. Its commands end at the deadline. */
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

  /** Reads all documents that match, in one round trip if they fit into 16 MiB. */
  find(filter: Command, projection: Command, size = 1000): Promise<readonly RecordDocument[]> {
    return this.#documents(filter, { projection, batchSize: size + 1 });
  }

  /** Reads the keys of the first documents that match, in an order if there is one. */
  async keys(
    filter: Command,
    { limit, sort }: { limit: number; sort?: Command },
  ): Promise<readonly string[]> {
    const options = { projection: { _id: 1 }, ...(sort && { sort }), limit, batchSize: limit + 1 };
    return (await this.#documents(filter, options)).map(({ _id }) => _id);
  }

  /** Reads the key and the time of writing of one document: that behind so many in an order. */
  async first(
    filter: Command,
    order: { readonly sort: Command; readonly skip: number },
  ): Promise<WrittenAt | undefined> {
    const [found] = await this.#documents(filter, { ...order, projection: { _id: 1, at: 1 }, limit: 1 });
    return found?.at && { _id: found._id, at: found.at };
  }

  /** Removes the documents that match, and answers how many there were. */
  async remove(filter: Command): Promise<number> {
    const { deletedCount } = await this.collection.deleteMany(filter, this.options);
    return deletedCount;
  }

  /** Updates documents, and answers how many the filters found. */
  async update(statements: readonly UpdateStatement[]): Promise<number> {
    const { matchedCount } = await this.collection.bulkWrite(statements, { ...this.options, ordered: false });
    return matchedCount;
  }

  /**
   * Updates each document that matches, and inserts each that is not there.
   *
   * @param mustLand whether the statement's filter is its key alone. If two clients insert one key
   *   at once, one of them may fail. Then the document is there, and the statement is sent once
   *   more.
   * @returns the places of the statements whose document is there and does not match
   */
  async upsert(
    statements: readonly UpdateStatement[],
    mustLand: (index: number) => boolean,
  ): Promise<readonly number[]> {
    const refused = await this.#collisions(statements);
    const again = refused.filter(mustLand);
    if (again.length > 0) {
      await this.update(statements.filter((_, index) => again.includes(index))).catch(withoutPlaces);
    }
    return refused.filter((index) => !mustLand(index));
  }

  /** Updates or inserts one document and answers it, `undefined` if it is there and does not match. */
  async upsertOne(
    filter: Command,
    update: Command,
    projection: Command,
  ): Promise<RecordDocument | undefined> {
    const options = { ...decoding, ...this.options, projection, upsert: true, returnDocument: "after" };
    const result = { includeResultMetadata: false };
    try {
      const document = await this.collection.findOneAndUpdate(filter, update, { ...options, ...result });
      // As in `find`.
      return (document ?? undefined) as RecordDocument | undefined;
    } catch (error) {
      if (isError(error) && "code" in error && error.code === duplicateKey) return undefined;
      throw error;
    }
  }

  /** Reads the server's estimate of the documents and their bytes. Some users may not. */
  async stats(): Promise<{ readonly records: number; readonly bytes: number }> {
    const command = { collStats: this.collection.collectionName };
    const { count, size } = await this.database.command(command, { ...decoding, ...this.options });
    return { records: Number(count), bytes: Number(size) };
  }

  async #documents(filter: Command, options: object): Promise<readonly RecordDocument[]> {
    const cursor = this.collection.find(filter, { ...decoding, ...this.options, ...options });
    // The collection is the storage's own, and only its commands write documents.
    return (await cursor.toArray()) as readonly RecordDocument[];
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

/** Drops the places of the second batch, which would name other keys than those that failed. */
function withoutPlaces(error: unknown): never {
  if (isError(error) && writeErrorsOf(error) !== undefined) throw new Error(error.message);
  throw error;
}
