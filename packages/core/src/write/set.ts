import type { Clock } from "../clock.js";
import { IncompleteError, sentence } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import { Operation } from "../plan/operation.js";
import type { Plan } from "../plan/plan.js";
import type { Fill, Filler, FillOutcome } from "./fill.js";
import { refuseOneShot } from "./one-shot.js";

/**
 * Stores a value that the caller has, in every tier. It overtakes whatever read or write of the key began earlier in this
 * process.
 *
 * @param ttl milliseconds; what the last tier keeps the value for, and the tiers before it at most
 * @throws SerializationError for a value that can be read only once, such as a stream; and where a remote tier's serializer cannot carry the value; no tier has it then
 * @throws IncompleteError `CACHEME_WRITE_INCOMPLETE` where a remote tier could not be reached; the other tiers have it
 */
export async function set(
  plan: Plan,
  key: string,
  value: unknown,
  ttl: number | undefined,
  filler: Filler,
  clock: Clock,
): Promise<void> {
  refuseOneShot(value, plan.name, key);
  const operation = new Operation();
  plan.operations.fence(key);
  plan.operations.begin(key, operation);
  const now = clock.now();
  const fill: Fill = {
    plan,
    key,
    operation,
    value,
    writtenAt: now,
    before: plan.tiers.length,
    limit: ttl === undefined ? Number.POSITIVE_INFINITY : now + ttl,
    explicit: ttl !== undefined,
    overtakes: true,
  };
  try {
    const { failed, refused } = await new Promise<FillOutcome>((done) => filler.fill(fill, done));
    if (refused !== undefined) throw refused;
    // What has overtaken this may still be on its way: until it is there, a tier can have a value older than both.
    if (operation.fenced) await plan.operations.mutations(key, operation);
    const [first] = failed;
    if (first === undefined) return;
    throw new IncompleteError(
      "CACHEME_WRITE_INCOMPLETE",
      `${nodeLabel(plan.name, key)} may not be stored in ${failed.map(({ storage }) => storage).join(", ")}: ` +
        `${sentence(first.error.message)} Set it again when the storage is back, or invalidate it.`,
      failed.map(({ storage }) => storage),
      { node: plan.name, key, storage: first.storage, cause: first.error },
    );
  } finally {
    plan.operations.end(key, operation);
  }
}
