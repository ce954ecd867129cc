import { Buffer } from "node:buffer";
import { type Duration, milliseconds } from "../duration.js";
import { ConfigurationError } from "../errors.js";
import { shown } from "../option-checks.js";
import { isSerializer } from "../serializer/checked-serializer.js";
import { msgpack } from "../serializer/msgpack.js";
import type { Serializer } from "../serializer/serializer.js";
import type { DoorkeeperOptions } from "./doorkeeper.js";
import type { NodeClass } from "./node.js";
import { type CachesPolicy, type ResolvedCaches, resolveCaches } from "./policy/caches.js";
import { type ConditionalPolicy, resolveKeepExpired } from "./policy/conditional.js";
import { type ErrorRetention, type ErrorTtlPolicy, resolveErrorTtl } from "./policy/error-ttl.js";
import { type IdlePolicy, type IdleTime, resolveIdle } from "./policy/idle.js";
import {
  type LoadTimeoutPolicy,
  type ResolvedLoadTimeout,
  resolveLoadTimeout,
} from "./policy/load-timeout.js";
import { type PrefetchPolicy, type ResolvedPrefetch, resolvePrefetch } from "./policy/prefetch.js";
import {
  type RefreshAheadPolicy,
  type ResolvedRefreshAhead,
  resolveRefreshAhead,
} from "./policy/refresh-ahead.js";
import { type ResolvedRetention, type RetentionPolicy, resolveRetention } from "./policy/retention.js";
import { type ResolvedRetry, type RetryPolicy, resolveRetry } from "./policy/retry.js";
import { type ResolvedSchema, resolveSchema, type SchemaPolicy } from "./policy/schema.js";
import { type ResolvedStale, resolveStale, type StalePolicy } from "./policy/stale-policy.js";
import { type ResolvedWritePolicy, resolveWrite, type WritePolicy, writeOptions } from "./policy/write.js";

/**
 * The policy of a node class.
 *
 * @example
 * ```ts
 * const meta: NodeMeta = {
 *   name: "user",
 *   version: 2,
 *   caches: [{ storage: "local", ttl: "30s" }, { storage: "redis", ttl: "10m" }],
 * };
 * ```
 */
export interface NodeMeta
  extends CachesPolicy,
    ConditionalPolicy,
    ErrorTtlPolicy,
    IdlePolicy,
    LoadTimeoutPolicy,
    PrefetchPolicy,
    RefreshAheadPolicy,
    RetentionPolicy,
    RetryPolicy,
    SchemaPolicy,
    StalePolicy,
    WritePolicy {
  /**
   * The first part of the key, unique among the kinds of a space. Required if a tier is remote,
   * because bundlers rename classes. Without a name, a local-only class is identified by itself
   * alone. Events, errors and statistics then show the name of the class. A subclass that inherits
   * its meta does not inherit the name.
   *
   * If a second class of the same name has the same source, it shares the entries of the first one.
   * This happens when a module is evaluated twice. A class of another source replaces the first
   * one, with a process warning. If `NODE_ENV` is `production`, it is refused
   * (`CACHEME_DUPLICATE_NODE`).
   */
  readonly name?: string | undefined;
  /**
   * The version, a part of the key. If the value's shape changes, change the version, and old
   * entries are never read again, unless {@link SchemaPolicy.migratesFrom} names their version.
   * Default: 1.
   */
  readonly version?: number | string | undefined;
  /** The serializer that turns values into bytes for remote storages. Default: `msgpack()`. */
  readonly serializer?: Serializer | undefined;
  /** Keeps a value out of all tiers until its key is loaded for the second time. Default: none. */
  readonly doorkeeper?: DoorkeeperOptions | undefined;
  /**
   * The most calls of `load` and `loadAll` of the class that run at the same time, both counted
   * together. A load that is repeated keeps its place. Default: no limit.
   */
  readonly concurrency?: number | undefined;
  /** The most nodes that one `loadAll` gets. Default: no limit. */
  readonly maxBatchSize?: number | undefined;
  /**
   * The level of a scope that each value belongs to, such as `"user"`. The path down to it is a part
   * of the key. Levels that the node's `scope()` does not give come from the caller's `withScope`.
   * Declare the levels by `defineScopes`. Default: only what `scope()` returns.
   */
  readonly scopedTo?: string | undefined;
  /**
   * Whether a value depends on the nodes that its load reads. If one of those is invalidated, the
   * value is invalid, too. At most 100 nodes, those of its dependencies included; a value with more
   * is returned and not stored. Default: false.
   */
  readonly track?: boolean | undefined;
  /**
   * Whether the bus keeps the class's local entries up to date in other processes, if one is
   * registered. It needs a name. Default: true for a class with a name and a local tier.
   */
  readonly bus?: boolean | undefined;
  /**
   * The use of the class's local tiers while the bus is down. Default: the option of `registerBus`.
   */
  readonly whenBusDown?: WhenBusDown | undefined;
  /**
   * The length of a lease. If a remote tier's storage supports leases, only the process that holds
   * the key's lease loads the value and stores it. The other processes wait for the value, for this
   * long at most, and then load without storing. If a process dies while it loads, the lease ends
   * after this time. A running load extends its lease.
   *
   * Choose it longer than the load usually takes. `false` uses no leases: each process loads by
   * itself, and a late write may undo an invalidation. Default: 10 seconds.
   */
  readonly lease?: Duration | false | undefined;
}

/**
 * The use of the local tiers of a class with remote tiers while the bus is down.
 *
 * - `"bounded"`: local entries are served for a short time.
 * - `"bypass"`: the local tiers are not used, so each read goes to the remote tiers.
 */
export type WhenBusDown = "bounded" | "bypass";

/** A class's meta, checked and with its defaults filled in. */
export interface ResolvedMeta
  extends ResolvedCaches,
    ResolvedLoadTimeout,
    ResolvedRetention,
    ResolvedSchema,
    ResolvedWritePolicy {
  readonly name: string;
  /** Whether the class states it. Otherwise it is {@link defaultName}, which bundlers change. */
  readonly hasName: boolean;
  readonly version: string;
  readonly doorkeeper: DoorkeeperOptions | undefined;
  readonly concurrency: number;
  readonly maxBatchSize: number;
  readonly scopedTo: string | undefined;
  readonly track: boolean;
  readonly bus: boolean | undefined;
  readonly whenBusDown: WhenBusDown | undefined;
  /** Milliseconds; `undefined` without leases. */
  readonly lease: number | undefined;
  /** `undefined` for a class that repeats no load. */
  readonly retry: ResolvedRetry | undefined;
  /** `undefined` for a class that never returns stale values. */
  readonly stale: ResolvedStale | undefined;
  /** `undefined` for a class that keeps no errors. */
  readonly errors: ErrorRetention | undefined;
  /** `undefined` for a class whose misses load no further nodes. */
  readonly prefetch: ResolvedPrefetch | undefined;
  /** `undefined` for a class that loads no value before it expires. */
  readonly refreshAhead: ResolvedRefreshAhead | undefined;
  /** `undefined` for a class whose reads do not change how long a value is kept. */
  readonly idle: IdleTime | undefined;
  /** The milliseconds for which an expired value is held, for a load or to be returned when stale. */
  readonly heldFor: number;
}

const knownOptions: ReadonlySet<string> = new Set<keyof NodeMeta>([
  "name",
  "version",
  "caches",
  "serializer",
  "doorkeeper",
  "concurrency",
  "maxBatchSize",
  "loadTimeout",
  "scopedTo",
  "track",
  "bus",
  "whenBusDown",
  "lease",
  "schema",
  "migrate",
  "migratesFrom",
  ...writeOptions,
  "retry",
  ...(["ttl", "jitter", "negativeTtl", "shouldCache", "errorTtl", "keepExpired", "idle"] as const),
  "staleWhileRevalidate",
  "staleIfError",
  "staleBackOff",
  "refreshAhead",
  "prefetch",
]);

const defaultLease: Duration = "10s";

/** The characters of names and versions, which are between colons in the keys. */
const namePattern = /^[^\p{Cc}\p{Cs}\s:]+$/u;
/**
 * The first character of names that belong to no node. Storage keys of generations and leases begin
 * with it.
 */
const reserved = "~";

/**
 * The longest name in bytes. Prefix, name, version and a shortened key then fit into the 200 bytes
 * that every storage takes.
 */
const longestName = 60;
const longestVersion = 20;

function fits(text: unknown, longest: number): text is string {
  return typeof text === "string" && namePattern.test(text) && Buffer.byteLength(text) <= longest;
}

/**
 * Returns the class's own name, or "anonymous". It names the class to people, and other classes may
 * have the same one.
 */
export function defaultName({ name }: NodeClass): string {
  return typeof name === "string" && fits(name, longestName) ? name : "anonymous";
}

/**
 * Checks a class's meta and fills in the defaults.
 *
 * @throws ConfigurationError `CACHEME_INVALID_META` or `CACHEME_INVALID_DURATION`
 */
export function resolveMeta(nodeClass: NodeClass): ResolvedMeta {
  const meta: NodeMeta = nodeClass.meta ?? {};
  const ownName = Object.hasOwn(nodeClass, "meta") ? meta.name : undefined;
  const name = ownName ?? defaultName(nodeClass);
  const refuse = (what: string): never => {
    throw new ConfigurationError("CACHEME_INVALID_META", `The meta of node class "${name}" ${what}`, {
      node: name,
    });
  };

  if (typeof meta !== "object" || meta === null) refuse("is not an object.");
  if (!fits(name, longestName) || name.startsWith(reserved)) {
    refuse(
      `has the name ${JSON.stringify(name)}. A name has 1 to ${longestName} bytes, no white space and no colon, and does not begin with "~": set \`name\`.`,
    );
  }
  for (const option of Object.keys(meta)) {
    if (!knownOptions.has(option)) {
      refuse(`has an unknown option "${option}". Known are ${[...knownOptions].join(", ")}.`);
    }
  }
  const checkVersion = (version: string): void => {
    if (fits(version, longestVersion)) return;
    refuse(
      `has the version "${version}". Give a number, or at most ${longestVersion} bytes without colon or space.`,
    );
  };
  if (typeof meta.version === "number" && !Number.isFinite(meta.version))
    refuse(`has the version ${meta.version}. Give a number that is finite, or a string.`);
  const version = String(meta.version ?? 1);
  checkVersion(version);

  checkBus(meta, ownName !== undefined, refuse);
  if (meta.write === "behind" && ownName === undefined) {
    refuse(
      'has `write: "behind"` and no name of its own, so its journaled values cannot be found again: set `name`.',
    );
  }
  const stale = resolveStale(meta, name, refuse);
  return {
    name,
    hasName: ownName !== undefined,
    version,
    ...resolveCaches(meta, name, refuse),
    ...resolveSchema(
      meta,
      resolveSerializer(meta.serializer ?? msgpack(), refuse),
      meta.version ?? 1,
      checkVersion,
      refuse,
    ),
    doorkeeper: meta.doorkeeper,
    concurrency: atLeastOne(meta.concurrency, "concurrency", refuse),
    maxBatchSize: atLeastOne(meta.maxBatchSize, "maxBatchSize", refuse),
    ...resolveLoadTimeout(meta, name, stale !== undefined, refuse),
    scopedTo: meta.scopedTo,
    track: meta.track ?? false,
    lease: limitOf(meta.lease, defaultLease, "lease", name),
    bus: meta.bus,
    whenBusDown: meta.whenBusDown,
    ...resolveRetention(meta, { node: name, refuse }),
    ...resolveWrite(meta, name, refuse),
    retry: resolveRetry(meta, { node: name, refuse }),
    stale,
    errors: resolveErrorTtl(meta, { node: name, refuse }),
    refreshAhead: resolveRefreshAhead(meta, refuse),
    prefetch: resolvePrefetch(meta, { node: name, refuse }),
    idle: resolveIdle(meta, { node: name, refuse }),
    heldFor: Math.max(stale?.ifError ?? 0, resolveKeepExpired(meta, { node: name, refuse })),
  };
}

function checkBus({ bus, whenBusDown }: NodeMeta, hasName: boolean, refuse: (what: string) => never): void {
  if (bus !== undefined && typeof bus !== "boolean")
    refuse(`has \`bus: ${shown(bus)}\`: give true or false.`);
  if (bus === true && !hasName) {
    refuse("has `bus: true` and no name of its own, so other processes cannot identify it: set `name`.");
  }
  if (whenBusDown !== undefined && whenBusDown !== "bounded" && whenBusDown !== "bypass") {
    refuse(`has \`whenBusDown: ${shown(whenBusDown)}\`: give "bounded" or "bypass".`);
  }
}

/** Returns milliseconds; `undefined` for `false`. */
function limitOf(
  given: Duration | false | undefined,
  byDefault: Duration,
  option: string,
  node: string,
): number | undefined {
  return given === false
    ? undefined
    : milliseconds(given === undefined ? byDefault : given, `${option} of node "${node}"`, { node });
}

function resolveSerializer(serializer: Serializer, refuse: (what: string) => never): Serializer {
  if (!isSerializer(serializer)) {
    refuse(
      "has an invalid `serializer`: call json(), msgpack() or v8(), or give { codec, encode, decode } with a codec of 1 to 255.",
    );
  }
  return serializer;
}

function atLeastOne(value: number | undefined, option: string, refuse: (what: string) => never): number {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (!Number.isInteger(value) || value < 1)
    refuse(`has \`${option}: ${value}\`: give a whole number of at least 1.`);
  return value;
}
