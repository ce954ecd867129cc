import {
  asError,
  type Bus,
  type BusConnection,
  type BusReceiver,
  type BusSpace,
  connectError,
  openBus,
  type RemoteStorage,
} from "cacheme/driver";
import type { RedisConnectionOptions } from "../connection-options.js";
import type { RedisClient, RedisClusterClient } from "../ioredis.js";
import { keyOptions } from "../make-client.js";
import { type Settings, settings } from "../options.js";
import { isAnswer, remedyFor, withoutArguments } from "../trouble.js";
import { type BusClients, makeBusClients } from "./bus-clients.js";
import { type BusSettings, busSettings, noTracking, type RedisBusOptions } from "./options.js";
import type { OwnWrites } from "./own-writes.js";
import { RedisBusConnection } from "./redis-bus-connection.js";
import { Tracking } from "./tracking.js";

/** The part of a storage of `redis()` that its bus uses. */
export interface TrackedStorage {
  readonly settings: Settings;
  /** Notes the storage's writes from now on. */
  noteWrites(): OwnWrites;
}

const storages = new WeakMap<object, TrackedStorage>();

/** Lets `redisBus` find what it needs of a storage. */
export function rememberStorage<S extends RemoteStorage>(storage: S, tracked: TrackedStorage): S {
  storages.set(storage, tracked);
  return storage;
}

/**
 * Makes a bus over Redis or Valkey, for `registerBus`: one server, a master behind sentinels, or a
 * Cluster. It has two connections of its own, and connects again by itself.
 *
 * With `mode: "tracking"` the server also reports each change of a key by anybody: `redis-cli`,
 * another program, an eviction, an expiry. Give it the storage that the classes use. Each write of
 * this process then costs a read in the background.
 *
 * @param target the server: an address, options of ioredis, a client of ioredis that the program
 *   has already, as `redis()` takes them, or the storage that `redis()` has made
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, if
 *   the address or an option is invalid
 * @example
 * ```ts
 * await registerBus(redisBus("redis://localhost:6379"));
 *
 * const storage = redis("redis://localhost:6379");
 * await registerStorage("redis", storage);
 * await registerBus(redisBus(storage, { mode: "tracking" }));
 * ```
 */
export function redisBus(
  target: string | RedisConnectionOptions | RedisClient | RedisClusterClient | RemoteStorage,
  options: RedisBusOptions = {},
): Bus {
  const checked = busSettings(options);
  const tracked = typeof target === "object" && target !== null ? storages.get(target) : undefined;
  // A storage of another function has no such settings, and `settings` refuses it.
  const { label, target: place } = tracked?.settings ?? settings(target as string, {});
  if (checked.mode === "messages") return new RedisBus({ label, target: place }, checked, undefined);
  if (tracked === undefined) {
    throw noTracking("and no storage. Give it the storage that redis() has made, which the classes use.");
  }
  if (place.kind === "cluster" || place.kind === "clusterClient") {
    throw noTracking("and a Redis Cluster, whose nodes report only their own keys. Leave the mode out.");
  }
  return new RedisBus({ label, target: place }, checked, tracked);
}

class RedisBus implements Bus {
  readonly label: string;
  readonly #place: Pick<Settings, "label" | "target">;
  readonly #settings: BusSettings;
  readonly #tracked: TrackedStorage | undefined;

  constructor(
    place: Pick<Settings, "label" | "target">,
    checked: BusSettings,
    tracked: TrackedStorage | undefined,
  ) {
    this.label = place.label;
    this.#place = place;
    this.#settings = checked;
    this.#tracked = tracked;
  }

  async connect(receiver: BusReceiver, { prefix }: BusSpace): Promise<BusConnection> {
    const own = this.#tracked?.noteWrites();
    const { keyPrefix } = keyOptions(this.#place.target);
    const tracking = own && new Tracking({ keyPrefix, prefix, own, receiver });
    const { connectTimeout, commandTimeout, connect } = this.#settings;
    let made: RedisBusConnection | undefined;
    const lost = (role: keyof BusClients): void => made?.lost(role);
    const clients = await makeBusClients({ ...this.#place, connectTimeout }, lost);
    const connection = new RedisBusConnection(clients, this.#settings, receiver, tracking);
    made = connection;
    return await openBus(connection, connect, connectTimeout + commandTimeout, (failure) =>
      connectError(withoutArguments(asError(failure)), {
        label: this.label,
        isAnswer,
        refusalAdvice: remedyFor,
      }),
    );
  }
}
