import { ConfigurationError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { Node } from "../node/node.js";
import {
  checkDependencies,
  dependencyCycle,
  dependencyTag,
  mostDependencies,
  mostNames,
  tooManyDependencies,
} from "../tags/dependency.js";
import { pathOf, scopeTags } from "../tags/scopes.js";
import type { Tag } from "../tags/tag.js";
import { checkTags, ownMark } from "../tags/tag-name.js";
import type { TagTable } from "../tags/tag-table.js";
import type { ClassRuntime } from "./class-runtime.js";
import type { NodeKind } from "./node-kind.js";

/** The space of the nodes. */
export interface TaggedSpace {
  readonly tags: TagTable;
  /** Returns the runtime of a node that another one depends on. */
  of(node: Node): ClassRuntime;
}

/** The sources of a class's tags. */
interface Sources {
  readonly hasTags: boolean;
  readonly hasScope: boolean;
  readonly hasDependencies: boolean;
  /** The tag of the whole class, if a storage cannot list its keys. */
  readonly classTag: string | undefined;
}

/** The number of tags up to which repeats are found by a search of the list. */
const fewTags = 8;

/** Finds the tags of a class's nodes that are known before the value. */
export class NodeTags {
  readonly #kind: NodeKind;
  readonly #space: TaggedSpace;
  readonly #sources: Sources;

  private constructor(kind: NodeKind, space: TaggedSpace, sources: Sources) {
    this.#kind = kind;
    this.#space = space;
    this.#sources = sources;
  }

  /**
   * Returns the tags of a class; `undefined` if it has none.
   *
   * @param node one of the class's nodes
   * @throws ConfigurationError `CACHEME_NOT_OFFERED` if a remote storage cannot keep generations
   */
  static for(node: Node, kind: NodeKind, hasScope: boolean, space: TaggedSpace): NodeTags | undefined {
    const hasTags = typeof node.tags === "function";
    const hasDependencies = typeof node.dependsOn === "function";
    const { classTag } = kind;
    if (hasTags) checkGenerations(kind, "tags()");
    if (hasScope) checkGenerations(kind, "The scope");
    if (hasDependencies) checkGenerations(kind, "dependsOn()");
    if (!hasTags && !hasScope && !hasDependencies && classTag === undefined) return undefined;
    return new NodeTags(kind, space, { hasTags, hasScope, hasDependencies, classTag });
  }

  /**
   * Returns the node's tags. Asks the node for them, and the nodes that it depends on.
   *
   * @throws ConfigurationError `CACHEME_INVALID_TAG`, `CACHEME_TOO_MANY_TAGS`,
   *   `CACHEME_TOO_MANY_DEPENDENCIES`, `CACHEME_DEPENDENCY_CYCLE`, or the error of the node
   */
  of(node: Node, key: string): readonly Tag[] {
    return (this.#hasOnlyTags ? this.#knownOf(node) : undefined) ?? this.#checkedOf(node, key);
  }

  /** Whether there is nothing but `tags()`, as usual. */
  get #hasOnlyTags(): boolean {
    const { hasTags, hasScope, hasDependencies, classTag } = this.#sources;
    return hasTags && !hasScope && !hasDependencies && classTag === undefined;
  }

  /**
   * Returns the tags without checks if the table knows all of them. This is the path of each read of
   * a remote tier. Messages and checks would cost more than the rest.
   */
  #knownOf(node: Node): readonly Tag[] | undefined {
    const given: unknown = node.tags?.();
    if (!Array.isArray(given) || given.length > fewTags) return undefined;
    const tags: Tag[] = [];
    for (const name of given) {
      if (typeof name !== "string" || name.startsWith(ownMark)) return undefined;
      const tag = this.#space.tags.find(name);
      if (tag === undefined) return undefined;
      if (!tags.includes(tag)) tags.push(tag);
    }
    return tags;
  }

  #checkedOf(node: Node, key: string): readonly Tag[] {
    const names = new Set<string>();
    const label = nodeLabel(this.#kind.name, key);
    this.#addTo(names, node, key, [label], { count: 0, label });
    if (names.size > mostNames) throw tooManyDependencies(label, { node: this.#kind.name, key });
    const { tags } = this.#space;
    return Array.from(names, (name) => tags.of(name));
  }

  /**
   * @param way the labels of the nodes on the way from the first one
   * @param dependencies the dependencies of the first one
   */
  #addTo(
    names: Set<string>,
    node: Node,
    key: string,
    way: readonly string[],
    dependencies: { count: number; readonly label: string },
  ): void {
    const { hasTags, hasScope, hasDependencies, classTag } = this.#sources;
    const { name } = this.#kind;
    const subject = { what: `tags() of ${nodeLabel(name, key)}`, node: name, key };
    if (hasTags) for (const tag of checkTags(node.tags?.(), subject)) names.add(tag);
    if (hasScope) for (const tag of scopeTags(pathOf(key))) names.add(tag);
    if (classTag !== undefined) names.add(classTag);
    if (!hasDependencies) return;
    const details = { node: name, key };
    for (const other of checkDependencies(node.dependsOn?.(), nodeLabel(name, key), details)) {
      const runtime = this.#space.of(other);
      const otherKey = runtime.keyOf(other);
      const label = nodeLabel(runtime.name, otherKey);
      if (way.includes(label)) throw dependencyCycle([...way, label], details);
      dependencies.count += 1;
      if (dependencies.count > mostDependencies) throw tooManyDependencies(dependencies.label, details);
      names.add(dependencyTag(runtime.name, otherKey));
      const { nodeTags } = runtime;
      if (nodeTags !== undefined) nodeTags.#addTo(names, other, otherKey, [...way, label], dependencies);
    }
  }
}

/**
 * Refuses tags if a remote storage of the class cannot keep generations, because an invalidation of
 * the tags would not reach the entries there.
 *
 * @param what the feature that needs them, such as `tags()`
 * @throws ConfigurationError `CACHEME_NOT_OFFERED`, with the storage's reason
 */
export function checkGenerations({ name, remoteTiers }: NodeKind, what: string): void {
  for (const { storage: remote } of remoteTiers) {
    if (remote.generations.isSupported) continue;
    const { label, lacks } = remote.storage;
    throw new ConfigurationError(
      "CACHEME_NOT_OFFERED",
      `${what} of node "${name}" needs generations, which storage "${remote.name}" (${label}) does not support: ` +
        `${lacks?.generations ?? "Its driver does not have them."} Keep the class in another storage, or do without tags.`,
      { node: name, storage: remote.name },
    );
  }
}
