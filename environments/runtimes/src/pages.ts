import { compressed, json, msgpack, Node, type NodeMeta, v8 } from "cacheme";

/** A value with each kind of data that can get lost in bytes. */
export interface Page {
  readonly by: string;
  readonly at: Date;
  readonly views: bigint;
  readonly links: ReadonlyMap<string, ReadonlySet<number>>;
  readonly bytes: Uint8Array;
  readonly odd: readonly (number | null | undefined)[];
  readonly text: string;
}

export function pageBy(name: string): Page {
  return {
    by: name,
    at: new Date("2026-11-30T12:00:00.250Z"),
    views: 2n ** 100n,
    links: new Map([["home", new Set([1, 2])]]),
    bytes: Uint8Array.of(0, 255, 127),
    odd: [-0, Number.NaN, Number.POSITIVE_INFINITY, null, undefined],
    text: `${name} ä 𝄞 `.repeat(1_000),
  };
}

const caches = [
  { storage: "local", ttl: "1h" },
  { storage: "folder", ttl: "1h" },
] as const;

abstract class PageNode extends Node<Page> {
  constructor(readonly name: string) {
    super();
  }

  key() {
    return this.name;
  }

  override load() {
    return pageBy(this.name);
  }
}

export class MsgpackNode extends PageNode {
  static override meta: NodeMeta = { name: "msgpack", caches, serializer: msgpack() };
}

export class GzipNode extends PageNode {
  static override meta: NodeMeta = {
    name: "gzip",
    caches,
    serializer: compressed(msgpack(), { algorithm: "gzip" }),
  };
}

export class BrotliNode extends PageNode {
  static override meta: NodeMeta = {
    name: "brotli",
    caches,
    serializer: compressed(msgpack(), { algorithm: "brotli" }),
  };
}

/** Bun lacks the classes of `node:v8`. Entries of another serializer are misses. */
export const hasV8Serializer = process.versions["bun"] === undefined;

export class V8Node extends PageNode {
  static override meta: NodeMeta = { name: "v8", caches, serializer: hasV8Serializer ? v8() : msgpack() };
}

/** Stored in a SQLite file, if the runtime has SQLite. */
export class RowNode extends PageNode {
  static override meta: NodeMeta = { name: "row", caches: [{ storage: "rows", ttl: "1h" }] };
}

/** JSON supports fewer types. */
export class JsonNode extends Node<{ readonly by: string; readonly texts: readonly string[] }> {
  static override meta: NodeMeta = { name: "json", caches, serializer: compressed(json()) };

  constructor(readonly name: string) {
    super();
  }

  key() {
    return this.name;
  }

  override load() {
    return { by: this.name, texts: ["ä", "𝄞".repeat(1_000)] };
  }
}

/** Stored in memory only, with a load that returns no promise. */
export class LengthNode extends Node<number> {
  static override meta: NodeMeta = { caches: [{ storage: "local" }] };

  constructor(readonly text: string) {
    super();
  }

  key() {
    return this.text;
  }

  override load() {
    return this.text.length;
  }
}
