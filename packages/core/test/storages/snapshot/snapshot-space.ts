import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Cacheme,
  type CachemeEvents,
  type LocalStorage,
  type MemoryOptions,
  memory,
  Node,
  type NodeMeta,
  type SavingStorage,
  type SnapshotOptions,
} from "../../../src/index.js";
import type { VirtualClock } from "../../support/virtual-clock.js";

/** A folder for the files of one test. */
export class SnapshotFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "cacheme-snapshot-"));
  readonly file: string = join(this.path, "cache.snapshot");

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** One run of a program that keeps its memory in the file. */
export class Run {
  readonly cacheme: Cacheme;
  readonly local: LocalStorage & SavingStorage;
  readonly events: (CachemeEvents["snapshot"] | CachemeEvents["snapshotError"])[] = [];
  /** The keys that were loaded. */
  readonly loads: string[] = [];

  constructor(
    readonly clock: VirtualClock,
    snapshot: string | SnapshotOptions,
    options: MemoryOptions = {},
  ) {
    this.cacheme = new Cacheme({ clock });
    this.local = memory({ ...options, snapshot });
    this.cacheme.on("snapshot", (event) => this.events.push(event));
    this.cacheme.on("snapshotError", (event) => this.events.push(event));
  }

  static async begin(
    clock: VirtualClock,
    snapshot: string | SnapshotOptions,
    options?: MemoryOptions,
  ): Promise<Run> {
    const run = new Run(clock, snapshot, options);
    await run.cacheme.registerStorage("local", run.local);
    return run;
  }

  /** Makes the class of the run, whose loads it records. */
  userClass(meta: Partial<NodeMeta> = {}) {
    const { loads } = this;
    return class User extends Node<{ readonly name: string }> {
      static override meta: NodeMeta = { name: "user", caches: [{ storage: "local", ttl: "1h" }], ...meta };
      constructor(
        readonly id: number,
        readonly teams: readonly string[] = [],
      ) {
        super();
      }
      key() {
        return `${this.id}`;
      }
      override tags() {
        return this.teams;
      }
      override load() {
        loads.push(this.key());
        return { name: `user ${this.id}, load ${loads.length}` };
      }
    };
  }
}
