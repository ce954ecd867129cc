import type { Generation, Made, NewGeneration } from "cacheme/driver";
import type { CollectionCall } from "./collection-call.js";
import {
  anyOf,
  bumping,
  type Command,
  generationMissing,
  prolonging,
  pruning,
  shorterThan,
  type UpdateStatement,
} from "./commands.js";
import { forever, generationOf, lengthOf, type RecordDocument } from "./record.js";

/*
 * Generations are documents like the records. Each call is two round trips: an update does not
 * answer the time that the server's clock gave it, so a query reads the time afterwards.
 */

/** Times that a generation's document keeps before the older ones are combined into one. */
const timesKept = 8;

/** How often a generation is made again if it is removed before the query reads it. */
const attempts = 5;

export function ensure(
  call: CollectionCall,
  tags: readonly NewGeneration[],
  ttl: number | undefined,
): Promise<Made> {
  const length = lengthOf(ttl);
  // A generation that is prolonged gets an eighth more, so that a tag in use is not written with
  // every call.
  const longer = Math.min(Math.ceil(length * 1.125), forever);
  const prolong = prolonging(call.clock, longer);
  return make(call, tags, (tag) => [
    { updateOne: { filter: shorterThan(tag.key, length), update: prolong } },
    insertion(call, generationMissing(tag.key), tag, length),
  ]);
}

export function bump(
  call: CollectionCall,
  tags: readonly NewGeneration[],
  ttl: number | undefined,
): Promise<Made> {
  return make(call, tags, (tag) => [insertion(call, { _id: tag.key }, tag, lengthOf(ttl))]);
}

function insertion(
  { clock }: CollectionCall,
  filter: Command,
  { id }: NewGeneration,
  length: number,
): UpdateStatement {
  return { updateOne: { filter, update: bumping(clock, id, length), upsert: true } };
}

async function make(
  call: CollectionCall,
  tags: readonly NewGeneration[],
  statementsFor: (tag: NewGeneration) => readonly UpdateStatement[],
): Promise<Made> {
  const found = new Map<string, Generation>();
  let missing = tags;
  for (let attempt = 0; missing.length > 0 && attempt < attempts; attempt++) {
    const statements = missing.flatMap(statementsFor);
    await call.upsert(statements, (index) => isKeyAlone(statements[index]));
    const keys = missing.map(({ key }) => key);
    const documents = await call.find(anyOf(keys), { generation: 1 }, keys.length);
    for (const { _id, generation } of documents) {
      if (generation !== undefined) found.set(_id, generationOf(generation));
    }
    await prune(call, documents);
    missing = missing.filter(({ key }) => !found.has(key));
  }
  return tags.map(({ key }) => found.get(key));
}

function isKeyAlone(statement: UpdateStatement | undefined): boolean {
  return statement !== undefined && Object.keys(statement.updateOne.filter).length === 1;
}

/** Keeps the latest of many times, and the latest of those that it removes as the floor. */
async function prune(call: CollectionCall, documents: readonly RecordDocument[]): Promise<void> {
  const statements = documents.flatMap(({ _id, generation }) => {
    const times = Object.entries(generation?.times ?? {});
    if (generation === undefined || times.length <= timesKept) return [];
    const older = times.filter(([id]) => id !== generation.id);
    const floor = new Date(Math.max(...older.map(([, time]) => Number(time))));
    const ids = older.map(([id]) => id);
    return [{ updateOne: { filter: { _id }, update: pruning(ids, floor) } }];
  });
  if (statements.length > 0) await call.update(statements);
}
