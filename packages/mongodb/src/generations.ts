import { checkKeys, type Generation, type Generations, isError, shownKey } from "cacheme/driver";
import type { CollectionCall, CollectionCalls } from "./collection-call.js";
import {
  anyOf,
  bumping,
  generationMissing,
  prolonging,
  pruning,
  shorterThan,
  type UpdateStatement,
} from "./commands.js";
import { randomToken } from "./leases.js";
import { forever, generationOf, lengthOf, type RecordDocument } from "./record.js";
import { sweepTime } from "./sweep.js";
import { isFull } from "./trouble.js";

/** Times that a generation's document keeps before the older ones are put together. */
const timesKept = 8;

/** How often a generation is made again that somebody removed before it could be read. */
const attempts = 5;

/**
 * Generations as documents like the records. Each call is two round trips: an update does not answer what the server's
 * clock said, so that is read afterwards.
 */
export class MongodbGenerations implements Generations {
  readonly #calls: CollectionCalls;

  constructor(calls: CollectionCalls) {
    this.#calls = calls;
  }

  ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    const length = lengthOf(ttl);
    // What is prolonged at all gets an eighth more, so that a tag that is in use is not written with every call.
    const longer = Math.min(Math.ceil(length * 1.125), forever);
    return this.#made(keys, "a generation", (key, { clock }) => [
      {
        updateOne: { filter: shorterThan(key, length), update: prolonging(longer, sweepTime(clock, longer)) },
      },
      {
        updateOne: {
          filter: generationMissing(key),
          update: bumping(randomToken(), length, sweepTime(clock, length)),
          upsert: true,
        },
      },
    ]);
  }

  async bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    try {
      return await this.#bumped(keys, ttl);
    } catch (error) {
      if (!(isError(error) && isFull(error.cause))) throw error;
      return this.#lose(keys);
    }
  }

  /** A full server still removes: without its generation each entry of a tag is a miss, as after a bump. */
  #lose(keys: readonly string[]): Promise<readonly Generation[]> {
    return this.#calls.run("a removal of generations", async ({ collection, database, clock, options }) => {
      await collection.deleteMany(anyOf(keys), options);
      const at = await clock.read(database, options);
      return keys.map(() => ({ id: randomToken(), at }));
    });
  }

  #bumped(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    const length = lengthOf(ttl);
    return this.#made(keys, "a new generation", (key, { clock }) => [
      {
        updateOne: {
          filter: { _id: key },
          update: bumping(randomToken(), length, sweepTime(clock, length)),
          upsert: true,
        },
      },
    ]);
  }

  async #made(
    keys: readonly string[],
    action: string,
    statementsFor: (key: string, call: CollectionCall) => readonly UpdateStatement[],
  ): Promise<readonly Generation[]> {
    if (keys.length === 0) return [];
    checkKeys(keys, this.#calls.label);
    return this.#calls.run(action, async (call) => {
      const found = new Map<string, Generation>();
      let missing = [...new Set(keys)];
      for (let attempt = 0; missing.length > 0 && attempt < attempts; attempt++) {
        const statements = missing.flatMap((key) => statementsFor(key, call));
        await call.upsert(statements, (index) => isKeyAlone(statements[index]));
        const documents = await call.find(anyOf(missing), { generation: 1 }, missing.length);
        for (const { _id, generation } of documents) {
          if (generation !== undefined) found.set(_id, generationOf(generation));
        }
        await prune(call, documents);
        missing = missing.filter((key) => !found.has(key));
      }
      return keys.map((key) => {
        const generation = found.get(key);
        if (generation !== undefined) return generation;
        throw new Error(`the generation ${shownKey(key)} was removed ${attempts} times while it was made`);
      });
    });
  }
}

function isKeyAlone(statement: UpdateStatement | undefined): boolean {
  return statement !== undefined && Object.keys(statement.updateOne.filter).length === 1;
}

/** Keeps the latest of many times, and remembers how late the others were. */
async function prune(call: CollectionCall, documents: readonly RecordDocument[]): Promise<void> {
  const statements = documents.flatMap(({ _id, generation }) => {
    const times = Object.entries(generation?.times ?? {});
    if (generation === undefined || times.length <= timesKept) return [];
    const older = times.filter(([id]) => id !== generation.id);
    const floor = new Date(Math.max(...older.map(([, time]) => Number(time))));
    return [
      {
        updateOne: {
          filter: { _id },
          update: pruning(
            older.map(([id]) => id),
            floor,
          ),
        },
      },
    ];
  });
  if (statements.length > 0) await call.update(statements);
}
