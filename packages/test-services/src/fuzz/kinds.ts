import type { Board } from "./board.js";

/** The value of a node: what its load has seen of the source. */
export interface Seen {
  readonly record: number;
  readonly version: number;
  /** The process that loaded it, and the time at which the load began. */
  readonly by: string;
  readonly at: number;
  /** The values that it is made of. */
  readonly parts: readonly Seen[];
}

/** The part of a load's context that the loads use. */
interface Context {
  tag(...tags: string[]): void;
  get(node: never): Promise<unknown>;
}

type Remote = { readonly storage: string; readonly ttl: "400ms" | "3s" };
type Local = { readonly storage: string; readonly ttl: "1s" };

/** The definition of a class of nodes, as `defineNode` takes it. */
interface KindDefinition<N> {
  readonly name: string;
  readonly caches: readonly (Remote | Local)[];
  readonly lease: "2s";
  readonly track?: boolean;
  readonly key: (id: number) => string;
  readonly tags?: (id: number) => readonly string[];
  readonly scope?: (id: number) => { readonly org: number; readonly user: number };
  readonly dependsOn?: (id: number) => readonly N[];
  readonly load: (id: number, context: Context) => Promise<Seen>;
}

/** The number of nodes of each kind. */
export const ids = 6;

export type Kind = "plain" | "tagged" | "told" | "tiered" | "tracked" | "made" | "scoped" | "quiet";

export const kinds: readonly Kind[] = [
  "plain",
  "tagged",
  "told",
  "tiered",
  "tracked",
  "made",
  "scoped",
  "quiet",
];

/** The number of all nodes. */
export const records: number = kinds.length * ids;

export function recordOf(kind: Kind, id: number): number {
  return kinds.indexOf(kind) * ids + id;
}

export function kindOf(record: number): Kind {
  return kinds[Math.floor(record / ids)] ?? "plain";
}

/** Returns the records of keys in a storage; `undefined` if one of them is the key of a tag. */
export function recordsAt(storageKeys: readonly string[]): readonly number[] | undefined {
  const found: number[] = [];
  for (const key of storageKeys) {
    const [, name = ""] = key.split(":");
    const kind = kinds.find((one) => one === name);
    const id = /(\d+):[^:]*$/.exec(key)?.[1];
    if (kind !== undefined && id !== undefined) found.push(recordOf(kind, Number(id)));
    else if (name.startsWith("~")) return undefined;
  }
  return found;
}

export function idOf(record: number): number {
  return record % ids;
}

/** Returns the records of a kind whose id passes. */
export function recordsOf(kind: Kind, passes: (id: number) => boolean = () => true): number[] {
  return Array.from({ length: ids }, (_, id) => id)
    .filter(passes)
    .map((id) => recordOf(kind, id));
}

/** Returns the records of the nodes that a node's load reads. */
export function partsOf(record: number): readonly number[] {
  const id = idOf(record);
  const kind = kindOf(record);
  if (kind === "tracked") return [recordOf("plain", id), recordOf("tagged", id)];
  return kind === "made" ? [recordOf("plain", id)] : [];
}

/** The number of teams, of organizations, and of users in one. */
export const groups = 2;

/** Milliseconds after which no local entry is older than a removal, with or without a bus. */
export const localLife = 1_000;

/** The parts of a process that its loads use. */
export interface Loading {
  readonly board: Board;
  readonly by: string;
  /** Reads the source. May wait before and after, or throw. */
  load(record: number, read: () => Promise<Seen>): Promise<Seen>;
}

/** The part of `cacheme` that defines nodes. */
export interface Definer<N> {
  defineNode(definition: KindDefinition<N>): (id: number) => N;
}

/** Defines the kinds of nodes, and returns the function that makes the node of a record. */
export function defineKinds<N>(
  { defineNode }: Definer<N>,
  get: (node: N) => Promise<unknown>,
  loading: Loading,
): (record: number) => N {
  const remote: Remote = { storage: "shared", ttl: "3s" };
  const local: Local = { storage: "local", ttl: "1s" };
  const makers = new Map<Kind, (id: number) => N>();
  const define = (
    name: Kind,
    further: Partial<KindDefinition<N>> & { readonly inner?: (id: number) => readonly N[] } = {},
  ) => {
    const { inner = () => [], ...policy } = further;
    const maker = defineNode({
      name,
      caches: [remote],
      lease: "2s",
      key: (id) => `${id}`,
      load: (id, context) => load(name, id, context, inner(id)),
      ...policy,
    });
    makers.set(name, maker);
    return maker;
  };
  const load = async (kind: Kind, id: number, context: Context, inner: readonly N[]): Promise<Seen> => {
    const at = Date.now();
    const record = recordOf(kind, id);
    return await loading.load(record, async () => {
      const version = loading.board.version(record);
      if (kind === "told") context.tag(`told:${id % groups}`);
      const parts = (await Promise.all(inner.map(get))) as Seen[]; // The loads of this function.
      return { record, version, by: loading.by, at, parts };
    });
  };
  const plain = define("plain");
  const tagged = define("tagged", { tags: (id) => [`team:${id % groups}`] });
  define("told");
  define("tiered", { caches: [local, remote], tags: (id) => [`team:${id % groups}`] });
  define("tracked", { track: true, inner: (id) => [plain(id), tagged(id)] });
  define("made", { dependsOn: (id) => [plain(id)], inner: (id) => [plain(id)] });
  define("scoped", { scope: (id) => ({ org: id % groups, user: id }) });
  define("quiet", { caches: [{ storage: "shared", ttl: "400ms" }] });
  return (record) => {
    const maker = makers.get(kindOf(record));
    if (maker === undefined) throw new Error(`There is no node for record ${record}.`);
    return maker(idOf(record));
  };
}
