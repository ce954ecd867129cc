import type { Clock } from "../clock.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { dependencyTag } from "../tags/dependency.js";
import type { EntryPattern } from "../tags/entry-pattern.js";
import type { TagTable } from "../tags/tag-table.js";
import type { KeptNode, KeptRead } from "./kept-read.js";
import { currentRequest, type Request } from "./request.js";

/*
 * A request reads its own writes. So a write or an invalidation that it makes drops the answers that
 * the request keeps: at the call, and again at its end, because a read in between may have found the
 * old value in a tier. Each function returns what to call at the end, or `undefined` outside of a
 * request.
 */

/** A key that the caller writes or invalidates. */
interface ChangedKey {
  readonly runtime: { readonly kind: NodeKind };
  readonly key: string;
}

/** @param dependents the space of the nodes, if values may depend on other nodes */
export function changesKeys(
  keys: readonly ChangedKey[],
  dependents: TagTable | undefined,
): (() => void) | undefined {
  const request = currentRequest();
  if (request === undefined) return undefined;
  const tags = new Set(
    dependents === undefined ? [] : keys.map(({ runtime, key }) => dependencyTag(runtime.kind.name, key)),
  );
  return dropTwice(request, () => {
    for (const { runtime, key } of keys) request.dropKey(runtime.kind.latest, key);
    if (tags.size === 0) return;
    request.dropWhere((read) => read.runtime.tags === dependents && read.carries((tag) => tags.has(tag)));
  });
}

export function changesTags(names: ReadonlySet<string>, table: TagTable): (() => void) | undefined {
  return changesWhere((read) => read.runtime.tags === table && read.carries((tag) => names.has(tag)));
}

export function changesMatching(pattern: EntryPattern, table: TagTable): (() => void) | undefined {
  return changesWhere(
    (read) =>
      read.runtime.tags === table &&
      (pattern.matches(read.runtime.name, read.key) || read.carries((tag) => pattern.matchesTag(tag))),
  );
}

/**
 * A request keeps the value that it sets, as every tier does. Returns what to call with whether the
 * tiers have it.
 */
export function changesBySet(
  given: KeptNode & { readonly value: unknown },
  clock: Clock,
): ((isStored: boolean) => void) | undefined {
  const { runtime, key, value } = given;
  const request = runtime.isPerRequest ? currentRequest() : undefined;
  if (request === undefined) return undefined;
  request.changes += 1;
  const { changes } = request;
  request.dropKey(runtime.kind, key);
  return (isStored) => {
    if (isStored && request.changes === changes) request.keepValue(given, value, clock.now());
    else request.dropKey(runtime.kind, key);
  };
}

/** Drops the answers of a class, or of every class of a space. */
export function dropOwnReads(table: TagTable, kind: NodeKind | undefined): void {
  changesWhere((read) => read.runtime.tags === table && (kind === undefined || read.runtime.kind === kind));
}

function changesWhere(concerns: (read: KeptRead) => boolean): (() => void) | undefined {
  const request = currentRequest();
  return request && dropTwice(request, () => request.dropWhere(concerns));
}

function dropTwice(request: Request, drop: () => void): () => void {
  request.changes += 1;
  drop();
  return drop;
}
