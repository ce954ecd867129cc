import type { SerializationError } from "../errors.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import { nextBirth, Operation } from "../runtime/operation.js";
import { refuseIncompleteWrite } from "./incomplete.js";
import { refuseOneShot } from "./one-shot.js";
import type { FailedTier, Store } from "./store.js";

/**
 * Stores a value that the caller has, in every tier. It overtakes whatever read or write of the key began earlier in this
 * process.
 *
 * @param ttl milliseconds; what the last tier keeps the value for, and the tiers before it at most
 * @throws SerializationError for a value that can be read only once, such as a stream, or
 *   if a remote tier's serializer cannot carry the value; then nothing has changed
 * @throws IncompleteError `CACHEME_WRITE_INCOMPLETE` if a remote tier could not be reached; the other tiers have the value, and
 *   that one is not read for the key until a write or a removal has reached it
 */
export async function set(
  runtime: ClassRuntime,
  key: string,
  value: unknown,
  ttl: number | undefined,
  store: Store,
): Promise<void> {
  const { kind, name } = runtime;
  refuseOneShot(value, name, key);
  const operation = new Operation(nextBirth());
  const activity = kind.activities.of(key);
  try {
    const { failed, refused } = await new Promise<SetOutcome>((resolve) =>
      store.storeGiven(kind, activity, operation, value, ttl, (failed, refused) =>
        resolve({ failed, refused }),
      ),
    );
    if (refused !== undefined) throw refused;
    refuseIncompleteWrite({ name, key, failed });
  } finally {
    activity.operations.end(operation);
    activity.rest();
  }
}

interface SetOutcome {
  readonly failed: readonly FailedTier[];
  readonly refused: SerializationError | undefined;
}
