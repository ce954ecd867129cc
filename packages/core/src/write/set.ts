import { milliseconds } from "../duration.js";
import { nodeLabel } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { SetOptions } from "../node/options.js";
import { changesBySet } from "../request/own-changes.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { checkGenerations } from "../runtime/node-tags.js";
import { nextBirth, Operation } from "../runtime/operation.js";
import { OperationTags } from "../tags/operation-tags.js";
import type { Tag } from "../tags/tag.js";
import { checkTags, mostTags, tooManyTags } from "../tags/tag-name.js";
import { cannotBeStored } from "./cannot-be-stored.js";
import { incompleteWrite } from "./incomplete.js";
import { refuseOneShot } from "./one-shot.js";
import { setBehind } from "./set-behind.js";
import type { Store } from "./store.js";

/** A value that a caller has for a node. */
export interface GivenValue {
  readonly runtime: ClassRuntime;
  readonly node: Node;
  readonly key: string;
  readonly value: unknown;
}

/**
 * Stores a value that the caller has, in every tier. It overtakes each read or write of the key
 * that began earlier in this process.
 *
 * @throws ConfigurationError `CACHEME_INVALID_DURATION` if the ttl is not a duration
 * @throws SerializationError for a value that can be read only once, such as a stream, or if a tier
 *   cannot carry the value. Then nothing has changed
 * @throws IncompleteError `CACHEME_WRITE_INCOMPLETE` if a remote tier could not be reached. The
 *   other tiers have the value. The unreached tier is not read for the key until a write or a
 *   removal has reached it
 */
export function set(given: GivenValue, options: SetOptions, store: Store): Promise<void> {
  return new Promise((resolve, reject) => {
    put(given, options, store, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

/**
 * Stores the values of many nodes; see {@link set}.
 *
 * @param given returns the value in its place; may throw
 * @throws the error of {@link set}, for the first place that fails; the others are stored
 */
export function setAll(
  count: number,
  given: (place: number) => GivenValue,
  options: SetOptions,
  store: Store,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let waiting = count;
    let firstFailed = count;
    let failure: unknown;
    const settled = (place: number, error: unknown) => {
      if (error !== undefined && place < firstFailed) {
        firstFailed = place;
        failure = error;
      }
      waiting -= 1;
      if (waiting > 0) return;
      if (firstFailed < count) reject(failure);
      else resolve();
    };
    if (count === 0) resolve();
    for (let place = 0; place < count; place++) {
      try {
        put(given(place), options, store, (error) => settled(place, error));
      } catch (error) {
        settled(place, error);
      }
    }
  });
}

/** @param done gets the error if the value may not be in all tiers */
function put(
  { runtime, node, key, value }: GivenValue,
  options: SetOptions,
  store: Store,
  done: (error: Error | undefined) => void,
): void {
  const { kind, name } = runtime;
  if (runtime.unsaved !== undefined) throw setBehind(name, key);
  const ttl = ttlOf(options, name, key) ?? kind.meta.retention?.ttlOf(value, node, name, key);
  refuseOneShot(value, name, key);
  refuseUncopied(value, kind, key);
  const tags = tagsFor(runtime, node, key, options, store);
  const operation = new Operation(nextBirth());
  if (tags !== undefined) operation.tagged = new OperationTags(tags);
  const activity = kind.activities.of(key);
  const kept = changesBySet({ runtime, node, key, value }, store.environment.clock);
  try {
    store.storeGiven(kind, activity, operation, value, ttl, (failed, refused) => {
      activity.operations.end(operation);
      activity.rest();
      kind.announce(key, () => {
        const error = refused ?? incompleteWrite({ name, key, failed });
        kept?.(error === undefined);
        done(error);
      });
    });
    kind.staleness?.backOffs.succeeded(key);
  } catch (error) {
    activity.rest();
    throw error;
  }
}

/**
 * Returns the node's tags and those of the options.
 *
 * @param call the function that got the options
 */
export function tagsFor(
  runtime: ClassRuntime,
  node: Node,
  key: string,
  { tags }: SetOptions,
  store: Store,
  call: "set" | "save" = "set",
): readonly Tag[] | undefined {
  const { kind, name, nodeTags } = runtime;
  const own = nodeTags?.of(node, key);
  if (tags === undefined) return own;
  const subject = { what: `tags of ${call}(${nodeLabel(name, key)}, …)`, node: name, key };
  const given = checkTags(tags, subject).map((tag) => store.tags.of(tag));
  if (given.length > 0) {
    checkGenerations(kind, `The option tags of ${call}`);
    kind.tellsTags = true;
  }
  const all = [...new Set([...(own ?? []), ...given])];
  if (all.length > mostTags) throw tooManyTags(all.length, subject);
  return all;
}

/**
 * Returns the ttl of the options, in milliseconds.
 *
 * @param call the function that got the options
 */
export function ttlOf(
  { ttl }: SetOptions,
  node: string,
  key: string,
  call: "set" | "save" = "set",
): number | undefined {
  return ttl === undefined
    ? undefined
    : milliseconds(ttl, `ttl of ${call}(${nodeLabel(node, key)}, …)`, { node, key });
}

/**
 * Checks the copies before anything is stored. If a tier refused its own copy later, the value
 * would remain in the others.
 */
export function refuseUncopied(value: unknown, kind: NodeKind, key: string): void {
  for (const { storage } of kind.localTiers) {
    try {
      storage.copy?.(value);
    } catch (error) {
      throw cannotBeStored(error, kind, key);
    }
  }
}
