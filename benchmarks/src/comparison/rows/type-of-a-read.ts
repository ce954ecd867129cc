import { cachified } from "@epic-web/cachified";
import { createCache as createDedupe } from "async-cache-dedupe";
import type { BentoCache, bentostore } from "bentocache";
import type { Cache as CacheManager } from "cache-manager";
import type { Cacheable } from "cacheable";
import { defineNode, get } from "cacheme";
import { Loader } from "layered-loader";
import { defineCachedFunction } from "ocache";
import type { Row } from "../row.js";

interface User {
  readonly name: string;
}
declare function loadUser(id: string): Promise<User>;

/** The compiler's type of a value, whose reader gives no type argument. */
type Verdict<V> = 0 extends 1 & V
  ? "any"
  : unknown extends V
    ? "unknown"
    : [V] extends [User]
      ? "User"
      : [undefined | User] extends [V]
        ? null extends V
          ? "User, undefined or null"
          : "User or undefined"
        : "another type";

type VerdictOf<Read extends (...args: never[]) => unknown> = Verdict<Awaited<ReturnType<Read>>>;

// Never called: they compile, and the compiler refuses a verdict that is not theirs.
const reads = {
  cacheme: (id: string) =>
    get(defineNode({ name: "user", key: (key: string) => key, load: (key) => loadUser(key) })(id)),
  bentocache: (bento: BentoCache<{ cache: ReturnType<typeof bentostore> }>, id: string) =>
    bento.getOrSet({ key: id, factory: () => loadUser(id) }),
  cacheable: (cache: Cacheable, id: string) => cache.getOrSet(id, () => loadUser(id)),
  cacheManager: (cache: CacheManager, id: string) => cache.wrap(id, () => loadUser(id)),
  asyncCacheDedupe: (id: string) => createDedupe({ ttl: 60 }).define("user", loadUser).user(id),
  layeredLoader: (id: string) => new Loader({ dataSourceGetOneFn: loadUser }).get(id),
  cachified: (id: string) => cachified({ key: id, cache: new Map(), getFreshValue: () => loadUser(id) }),
  ocache: (id: string) => defineCachedFunction(loadUser)(id),
};

const verdicts: {
  readonly cacheme: VerdictOf<typeof reads.cacheme>;
  readonly bentocache: VerdictOf<typeof reads.bentocache>;
  readonly cacheable: VerdictOf<typeof reads.cacheable>;
  readonly "cache-manager": VerdictOf<typeof reads.cacheManager>;
  readonly "async-cache-dedupe": VerdictOf<typeof reads.asyncCacheDedupe>;
  readonly "layered-loader": VerdictOf<typeof reads.layeredLoader>;
  readonly cachified: VerdictOf<typeof reads.cachified>;
  readonly ocache: VerdictOf<typeof reads.ocache>;
} = {
  cacheme: "User",
  bentocache: "User",
  cacheable: "User or undefined",
  "cache-manager": "User",
  "async-cache-dedupe": "User",
  "layered-loader": "User, undefined or null",
  cachified: "User",
  ocache: "User",
};

export const typeOfARead: Row = {
  title: "the load returns a User: the type of a read",
  fusionCache: { outcome: "that of the type argument", page: "CoreMethods" },
  run({ name }) {
    const verdict = new Map<string, string>(Object.entries(verdicts)).get(name.toLowerCase());
    return verdict === undefined
      ? Promise.reject(new Error(`no verdict for ${name}`))
      : Promise.resolve(verdict);
  },
};
