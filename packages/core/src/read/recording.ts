import { nodeLabel } from "../node/key.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Flight } from "../runtime/flight.js";
import { checkGenerations } from "../runtime/node-tags.js";
import type { Operation } from "../runtime/operation.js";
import { sharedState } from "../shared-state.js";
import type { HeldGeneration } from "../storage/local-storage.js";
import { dependencyTag, mostDependencies, mostNames, tooManyDependencies } from "../tags/dependency.js";
import { OperationTags } from "../tags/operation-tags.js";
import type { Tag } from "../tags/tag.js";
import type { TagTable } from "../tags/tag-table.js";
import { currentLoad } from "./load-frame.js";

/** The nodes that the load of a class with the option `track` reads. */
export class Recording {
  readonly #table: TagTable;
  readonly #tags = new Set<Tag>();
  /** The reads that no local tier has answered, whose tags are only known at the end. */
  readonly #flights = new Set<Flight>();
  #count = 0;

  constructor(table: TagTable) {
    this.#table = table;
  }

  /** Records a read. A node of another space cannot be invalidated in this one. */
  add(runtime: ClassRuntime, key: string, found: readonly HeldGeneration[] | undefined): void {
    if (runtime.tags !== this.#table || this.#count > mostDependencies) return;
    const tag = this.#table.of(dependencyTag(runtime.name, key));
    if (this.#tags.has(tag)) return;
    this.#tags.add(tag);
    this.#count += 1;
    for (const generation of found ?? []) this.#tags.add(this.#table.of(generation.tag));
  }

  /** Adds the tags of a value that a synchronous load has made. */
  addTags(tags: readonly Tag[]): void {
    for (const tag of tags) this.#tags.add(tag);
  }

  /** Does the same for a read that a flight answers. */
  addFlight(flight: Flight): void {
    this.add(flight.runtime, flight.key, undefined);
    if (flight.runtime.tags === this.#table && this.#count <= mostDependencies) this.#flights.add(flight);
  }

  /** Makes the recorded nodes the dependencies of the loaded value. */
  tellTo(operation: Operation, { kind, name }: ClassRuntime, key: string): void {
    if (this.#tags.size === 0) return;
    checkGenerations(kind, "The option track");
    operation.tagged ??= new OperationTags([]);
    const { tagged } = operation;
    if (this.#count > mostDependencies)
      tagged.refuse(tooManyDependencies(nodeLabel(name, key), { node: name, key }));
    for (const tag of this.#tags) tagged.tell(tag);
    for (const { tagged: own, found } of this.#flights) {
      for (const tag of own?.all ?? []) tagged.tell(tag);
      for (const generation of found ?? []) tagged.tell(this.#table.of(generation.tag));
    }
    if (tagged.all.length > mostNames)
      tagged.refuse(tooManyDependencies(nodeLabel(name, key), { node: name, key }));
  }
}

/** Returns the recording of the innermost load in which the caller runs, if that load has one. */
export function currentRecording(): Recording | undefined {
  // Copies of this package with one contract have the same recordings.
  if (sharedState.synchronousLoads.length > 0)
    return sharedState.synchronousRecordings.at(-1) as Recording | undefined;
  return currentLoad()?.recording;
}
