import type { StoredTouch } from "cacheme/driver";
import type { CollectionCall } from "./collection-call.js";
import { alive, touching } from "./commands.js";
import { forever } from "./record.js";

/**
 * Keeps documents for longer. A length counts from the time of writing, which a first round trip
 * reads with the server's clock. The second one changes only a document that still has that
 * time of writing, and so has not been replaced.
 */
export async function touch(
  call: CollectionCall,
  touches: readonly StoredTouch[],
): Promise<readonly boolean[]> {
  const keys = touches.map(({ key }) => key);
  const [now, found] = await Promise.all([
    call.clock.read(call.database, call.options),
    call.find(alive(keys), { at: 1, ttl: 1, freshFor: 1 }, keys.length),
  ]);
  const documents = new Map(found.map((document) => [document._id, document]));
  const statements = touches.flatMap(({ key, ttl: wanted }) => {
    const { at, ttl = forever, freshFor } = documents.get(key) ?? {};
    if (at === undefined) return [];
    const length = Math.min(now - Number(at) + wanted, forever);
    if (length <= ttl) return [];
    const update = touching(call.clock, length, wanted, freshFor === ttl);
    // Some servers store parts of a millisecond, which no answer has.
    const written = { $gte: at, $lt: new Date(Number(at) + 1) };
    return [{ updateOne: { filter: { _id: key, at: written }, update } }];
  });
  if (statements.length > 0) await call.update(statements);
  return keys.map((key) => documents.has(key));
}
