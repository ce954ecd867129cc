import { Background, type KeepAwake } from "./background.js";
import { BusLink } from "./bus/bus-link.js";
import type { Clock } from "./clock.js";
import { Events } from "./events.js";
import { Prefetches } from "./prefetch/prefetches.js";
import { Provided } from "./provided.js";
import { ClassRuntimes } from "./runtime/class-runtimes.js";
import { nextBirth } from "./runtime/operation.js";
import { HeardTags } from "./tags/heard-tags.js";
import { StorageRegistry } from "./tiers/registry.js";
import type { RemoteBatch } from "./tiers/remote-batch.js";
import { Tick } from "./tiers/tick.js";
import { Warmer } from "./warm/warmer.js";
import { Dependents } from "./write/dependents.js";
import { Saver } from "./write/save.js";
import { Source } from "./write/source.js";
import { rightToLeft } from "./write/storage-order.js";
import { Store } from "./write/store.js";
import { Journals } from "./write/write-behind/journals.js";

/** The parts of a space that its reads and writes use, too. */
export interface SpaceParts {
  readonly clock: Clock;
  readonly background: Background;
  readonly events: Events;
  readonly tick: Tick;
  readonly bus: BusLink;
  readonly storages: StorageRegistry;
  readonly runtimes: ClassRuntimes;
  readonly provided: Provided;
  readonly dependents: Dependents;
  readonly store: Store;
  readonly saver: Saver;
  readonly journals: Journals;
  readonly warmer: Warmer;
  readonly prefetches: Prefetches;
}

/** Makes the parts of a new space. */
export function partsOf(clock: Clock, prefix: string, keepAwake: KeepAwake | undefined): SpaceParts {
  const background = new Background();
  background.use(keepAwake);
  const events = new Events();
  const tick = new Tick();
  const bus = new BusLink(clock, events, tick);
  const storages: StorageRegistry = new StorageRegistry(clock, events, tick, (name) =>
    runtimes.storageReplaced(name),
  );
  storages.background = background;
  const runtimes = new ClassRuntimes(storages, clock, prefix, bus);
  storages.tags = runtimes.tags;
  const remoteNamed = (name: string) => remotesOf(storages).find((remote) => remote.name === name);
  bus.tagNews = new HeardTags(runtimes.tags, remoteNamed, nextBirth);
  const dependents = new Dependents({
    table: runtimes.tags,
    clock,
    get hasDependents() {
      return runtimes.hasDependents;
    },
    storages: () =>
      rightToLeft(remotesOf(storages), runtimes).filter((remote) => remote.generations.isSupported),
  });
  const provided = new Provided();
  const { tags } = runtimes;
  const store = new Store(events, { background, clock, tags, random: Math.random });
  const source = new Source(clock, events, (token) => provided.of(token));
  const through = { clock, events, dependents, tick, store, source };
  const beforeEntry = () => runtimes.keys.beforeEntry;
  const journals = new Journals({ ...through, random: Math.random, beforeEntry });
  runtimes.unsavedIn = (journal, node) => journals.get(journal, `Node "${node}"`);
  const saver = new Saver({ ...through, journals, space: runtimes });
  const reads = { clock, background, events, tick, bus, storages, runtimes };
  const prefetches = new Prefetches(clock, events, background, runtimes);
  return { ...reads, prefetches, provided, dependents, store, saver, journals, warmer: new Warmer(clock) };
}

/** Returns the remote storages, in the order of their registration. */
export function remotesOf(storages: StorageRegistry): readonly RemoteBatch[] {
  return [...storages].filter((registered) => registered.kind === "remote");
}
