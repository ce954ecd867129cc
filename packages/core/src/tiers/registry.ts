import type { Background } from "../background.js";
import type { Clock } from "../clock.js";
import type { ConnectionOptions } from "../driver/connection-options.js";
import { asError, ConfigurationError, closedError, reasonOf, StorageError } from "../errors.js";
import type { Events } from "../events.js";
import type { SnapshotTags } from "../storage/local-snapshot.js";
import type { LocalStorage } from "../storage/local-storage.js";
import type { RemoteStorage, StorageCapability } from "../storage/remote-storage.js";
import { storageByUrl } from "./by-url.js";
import { type GuardOptions, type GuardSettings, guardSettings } from "./guarded/guard-options.js";
import { offers, type Registered, RegisteredLocal } from "./registered.js";
import {
  type Connection,
  checkCapabilities,
  checkName,
  checkUnused,
  duplicateStorage,
  isSameStorage,
  type Registration,
} from "./registration.js";
import { RemoteBatch } from "./remote-batch.js";
import { snapshotHost } from "./snapshot-host.js";
import type { Tick } from "./tick.js";

/** The options of `registerStorage` besides name and storage. */
export interface RegisterOptions extends ConnectionOptions, GuardOptions {
  /**
   * The capabilities that the program needs of the storage. If the storage lacks one, it is refused
   * now, with the reason, and not when the program uses it. Default: none.
   */
  readonly needs?: readonly StorageCapability[] | undefined;
  /**
   * Whether the storage replaces another one of its name. Once the new storage is connected, the
   * old one is closed, with the entries that it holds in memory. Default: false.
   */
  readonly replace?: boolean | undefined;
}

/** The storages of one `Cacheme`, by name. */
export class StorageRegistry {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #tick: Tick;
  readonly #replaced: (name: string) => void;
  readonly #registrations = new Map<string, Registration>();
  readonly #connecting = new Map<string, Connection>();
  /** The tags of the entries that local storages save. */
  tags: SnapshotTags | undefined;
  /** Keeps the host awake while removals are repeated, and touches are sent. */
  background: Background | undefined;
  #retired = false;

  /** @param replaced called when a storage has taken the name of another one */
  constructor(clock: Clock, events: Events, tick: Tick, replaced: (name: string) => void) {
    this.#clock = clock;
    this.#events = events;
    this.#tick = tick;
    this.#replaced = replaced;
  }

  /**
   * Connects the storage, or the storage at the address, and adds it if that succeeds. Adding the
   * same storage again under the same name changes nothing.
   */
  async register(
    name: string,
    given: LocalStorage | RemoteStorage | string,
    { needs = [], replace = false, deadline, breaker, afterRestart, ...connection }: RegisterOptions,
  ): Promise<void> {
    checkName(name);
    checkCapabilities(name, needs);
    const guarding = { deadline, breaker, afterRestart };
    const guard = guardSettings(name, guarding, connection.commandTimeout, given);
    if (typeof given !== "string") checkUnused(name, connection);
    if (this.#connecting.has(name) || (this.#registrations.has(name) && !replace)) {
      return this.#registerAgain(name, given, needs, replace, { ...guarding, ...connection });
    }
    if (typeof given !== "string" && given?.kind === "local" && given.snapshot === undefined) {
      this.#takeIn(name, given, new RegisteredLocal(name, given));
      return;
    }
    const done =
      typeof given === "string"
        ? this.#madeFrom(name, given, needs, connection, guard)
        : this.#connected(name, given, needs, guard);
    this.#connecting.set(name, { given, done });
    try {
      this.#takeIn(name, given, await done);
    } finally {
      this.#connecting.delete(name);
    }
  }

  /**
   * Registers a taken name. The same storage has it if a module is evaluated twice. Otherwise
   * another storage has it.
   */
  async #registerAgain(
    name: string,
    given: LocalStorage | RemoteStorage | string,
    needs: readonly StorageCapability[],
    replace: boolean,
    options: ConnectionOptions & GuardOptions,
  ): Promise<void> {
    const known = this.#connecting.get(name) ?? this.#registrations.get(name);
    if (known === undefined) return;
    if (isSameStorage(known.given, given)) {
      const registered = "done" in known ? await known.done : known.registered;
      if (registered.kind === "remote") checkNeeds(name, registered.storage, needs);
      return;
    }
    if (!replace) throw duplicateStorage(name, known.given);
    if ("done" in known) await known.done.catch(() => {}); // Its own caller gets the error.
    await this.register(name, given, { needs, replace, ...options });
  }

  #takeIn(name: string, given: LocalStorage | RemoteStorage | string, registered: Registered): void {
    const older = this.#registrations.get(name);
    this.#registrations.set(name, { given, registered });
    if (older === undefined) return;
    this.#replaced(name);
    const { registered: old } = older;
    // They may be clients of one server, so what was not removed there must still be removed.
    if (old.kind === "remote" && registered.kind === "remote") registered.succeed(old);
    if (older.registered.storage !== registered.storage) void this.#closeOne(older.registered);
  }

  async #madeFrom(
    name: string,
    address: string,
    needs: readonly StorageCapability[],
    connection: ConnectionOptions,
    guard: GuardSettings,
  ): Promise<Registered> {
    return this.#made(name, await storageByUrl(address, connection), needs, guard);
  }

  /**
   * Makes the storage of an address. If it is not added, it is closed here, because nobody else can
   * close it.
   */
  async #made(
    name: string,
    storage: LocalStorage | RemoteStorage,
    needs: readonly StorageCapability[],
    guard: GuardSettings,
  ): Promise<Registered> {
    try {
      return await this.#connected(name, storage, needs, guard);
    } catch (error) {
      void letGo(storage);
      throw error;
    }
  }

  async #connected(
    name: string,
    storage: LocalStorage | RemoteStorage,
    needs: readonly StorageCapability[],
    guard: GuardSettings,
  ): Promise<Registered> {
    if (storage?.kind === "local") {
      if (this.tags !== undefined)
        await storage.snapshot?.open(snapshotHost(name, this.#clock, this.#events, this.tags));
      const local = new RegisteredLocal(name, storage);
      if (!this.#retired) return local;
      await this.#closeLocal(local);
      throw closedError(`Storage "${name}" was connected`);
    }
    if (storage?.kind !== "remote") {
      throw new ConfigurationError(
        "CACHEME_INVALID_OPTION",
        `registerStorage("${name}", …) expected a storage or an address. Give the result of memory() or of a storage ` +
          'package\'s function, or a string such as "redis://localhost:6379".',
        { storage: name },
      );
    }
    checkNeeds(name, storage, needs);
    try {
      await storage.connect();
    } catch (cause) {
      throw notConnected(name, storage, cause);
    }
    // A storage may only know its capabilities now: behind its own proxy memcached has no leases.
    checkNeeds(name, storage, needs);
    if (guard.afterRestart === "distrust" && storage.runs === undefined) throw withoutRuns(name, storage);
    const registered = new RemoteBatch(name, storage, this.#events, this.#tick, this.#clock, guard);
    registered.replays.background = this.background;
    registered.touches.background = this.background;
    if (!this.#retired) return registered;
    await registered.close();
    throw closedError(`Storage "${name}" was connected`);
  }

  /**
   * Stops adding storages. A storage that is still being connected is closed as soon as it is
   * connected.
   */
  retire(): void {
    this.#retired = true;
  }

  /** Closes every storage. If one fails to close, the others are closed all the same. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this, (registered) => this.#closeOne(registered)));
  }

  async #closeOne(registered: Registered): Promise<void> {
    if (registered.kind === "remote") await registered.close();
    else await this.#closeLocal(registered);
  }

  async #closeLocal({ name, storage }: RegisteredLocal): Promise<void> {
    try {
      if (storage.snapshot !== undefined) await storage.snapshot.close();
      storage.close();
    } catch (thrown) {
      const error = asError(thrown);
      this.#events.emit("storageError", { storage: name, operation: "close", error });
    }
  }

  /** @throws ConfigurationError `CACHEME_UNKNOWN_STORAGE`, with the names of the known storages */
  get(name: string, node?: string): Registered {
    const registration = this.#registrations.get(name);
    if (registration !== undefined) return registration.registered;
    if (this.#connecting.has(name)) {
      throw new ConfigurationError(
        "CACHEME_UNKNOWN_STORAGE",
        `Storage "${name}"${node === undefined ? "" : ` of node "${node}"`} is still being connected. Wait for registerStorage("${name}", …) before the ` +
          'first read. With `connect: "lazy"` that takes no time.',
        { node, storage: name },
      );
    }
    const known = [...this.#registrations.keys()].map((other) => `"${other}"`).join(", ");
    throw new ConfigurationError(
      "CACHEME_UNKNOWN_STORAGE",
      `${node === undefined ? `Storage "${name}"` : `Node "${node}" keeps its values in storage "${name}", which`} is not registered. ` +
        `${known === "" ? "No storage is registered" : `Registered storages: ${known}`}. ` +
        `Call registerStorage("${name}", …) before the first read, or correct the name in the node's meta.`,
      { node, storage: name },
    );
  }

  /**
   * Returns the storage of that name. If there is none, adds the given one under that name, for
   * nodes without `caches`.
   */
  getOrAdopt(name: string, make: () => LocalStorage, node: string): Registered {
    if (this.#registrations.has(name) || this.#connecting.has(name)) return this.get(name, node);
    const given = make();
    const registered = new RegisteredLocal(name, given);
    this.#registrations.set(name, { given, registered });
    return registered;
  }

  /**
   * Removes restored entries of classes that were not used yet from the local storages.
   *
   * @param accepts gets the entries' keys in remote storages
   * @param name the name of the storage. Default: all
   * @returns the number of removed entries
   */
  removeUnused(accepts: (storageKey: string) => boolean, name?: string): number {
    let removed = 0;
    for (const registered of this) {
      if (registered.kind !== "local" || (name !== undefined && registered.name !== name)) continue;
      removed += registered.storage.snapshot?.removeUnused(accepts) ?? 0;
    }
    return removed;
  }

  *[Symbol.iterator](): IterableIterator<Registered> {
    for (const { registered } of this.#registrations.values()) yield registered;
  }
}

/** Ignores errors while closing: the caller gets the error that kept the storage out. */
async function letGo(storage: LocalStorage | RemoteStorage): Promise<void> {
  try {
    await storage.close();
  } catch {
    // Ignored, as described above.
  }
}

/** Refuses a storage without the needed capabilities. A local storage does not need any. */
function checkNeeds(name: string, storage: RemoteStorage, needs: readonly StorageCapability[]): void {
  const offered: readonly string[] = offers(storage);
  for (const capability of needs) {
    if (offered.includes(capability)) continue;
    const reason = storage.lacks?.[capability] ?? "Its driver does not support it.";
    throw new ConfigurationError(
      "CACHEME_NOT_OFFERED",
      `Storage "${name}" (${storage.label}) does not support ${capability}: ${reason} Use another storage, or do without.`,
      { storage: name },
    );
  }
}

function withoutRuns(name: string, { label }: RemoteStorage): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_NOT_OFFERED",
    `Storage "${name}" (${label}) does not tell when its server restarts, so afterRestart cannot be "distrust". Leave it out.`,
    { storage: name },
  );
}

/**
 * Makes the error of a failed connection. Our own storages' errors already name the address and the
 * remedy.
 */
function notConnected(name: string, { label }: RemoteStorage, cause: unknown): StorageError {
  const reason = reasonOf(cause);
  const details = { storage: name, cause };
  if (!(cause instanceof StorageError)) {
    const message = `Storage "${name}" (${label}) could not be connected: ${reason} Start the server or fix the address. ${lazily}`;
    return new StorageError("CACHEME_CONNECT_FAILED", message, details);
  }
  const message = `Storage "${name}" could not be connected: ${reason}`;
  // A server that was reached but cannot be used will not become usable later.
  return cause.code === "CACHEME_CONNECT_REFUSED" || cause.code === "CACHEME_UNSUPPORTED_SERVER"
    ? new StorageError(cause.code, message, details)
    : new StorageError("CACHEME_CONNECT_FAILED", `${message} ${lazily}`, details);
}

const lazily = 'With `connect: "lazy"` the program starts without it.';
