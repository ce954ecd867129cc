import { types } from "node:util";
import type { CachedError } from "./cached-error.js";
import { ConfigurationError, reasonOf } from "./errors.js";
import type { SnapshotFault, SnapshotReport } from "./snapshot-report.js";

/** An operation of a remote storage, as events and messages name it. */
export type StorageOperation =
  | "connect"
  | "read"
  | "write"
  | "remove"
  | "touch"
  | "time"
  | "ping"
  | "scan"
  | "acquire"
  | "fill"
  | "release"
  | "extend"
  | "ensure"
  | "bump"
  | "run"
  | "close";

/** An operation of a journal, as events and messages name it. */
export type JournalOperation =
  | "append"
  | "claim"
  | "extend"
  | "complete"
  | "fail"
  | "read"
  | "count"
  | "list"
  | "requeue"
  | "drop"
  | "close";

/** The state of a storage's circuit breaker. */
export type BreakerState = "closed" | "open" | "half-open";

/**
 * The reason why stored bytes cannot be read:
 *
 * - `format`: another version of Cacheme wrote them, or they are not an entry;
 * - `serializer`: the class had another serializer when they were written;
 * - `class`: a class of another name or version wrote them;
 * - `corrupt`: they are torn or changed, or were moved from another key;
 * - `undecodable`: the serializer or the decompression has thrown;
 * - `schema`: the value does not fit the class's schema, or `migrate` has failed.
 */
export type UnreadableFault = "format" | "serializer" | "class" | "corrupt" | "undecodable" | "schema";

/** The events, each with the argument of its listeners. */
export interface CachemeEvents {
  /** A read found its value in a tier. */
  hit: NodeEvent & {
    readonly storage: string;
    /** The number of readers that it answered. */
    readonly readers: number;
    /** Whether the value was stale, and is loaded again. Default: false. */
    readonly isStale?: boolean | undefined;
  };
  /** A read found the cached error of a load in a tier, by the option `errorTtl`. */
  errorHit: NodeEvent & {
    readonly storage: string;
    /** The number of readers that it rejected. */
    readonly readers: number;
    readonly error: CachedError;
  };
  /** A read found its value in no tier and goes on to the load. */
  miss: NodeEvent & {
    /** The number of readers that wait for it so far. */
    readonly readers: number;
  };
  /** A load has succeeded. One event for a whole `loadAll`. */
  load: {
    readonly node: string;
    readonly keys: readonly string[];
    /** Milliseconds. */
    readonly duration: number;
  };
  /**
   * A load has failed. One event for a whole `loadAll` that failed, else one for each node whose
   * answer was an error.
   */
  loadError: CachemeEvents["load"] & { readonly error: unknown };
  /** The source has taken saved values. One event for a whole `saveAll`. */
  save: CachemeEvents["load"];
  /**
   * The source has not taken saved values. One event for a whole `saveAll` that failed, else one for
   * each value that failed by itself.
   */
  saveError: CachemeEvents["save"] & { readonly error: unknown };
  /** A load has failed and is repeated after a pause, by the option `retry`. */
  loadRetry: {
    readonly node: string;
    readonly keys: readonly string[];
    /** The number of the call that follows: 1 for the first one that is repeated. */
    readonly attempt: number;
    /** The pause in milliseconds. */
    readonly delay: number;
    /** The error; the first one, if several nodes of a `loadAll` have failed. */
    readonly error: unknown;
  };
  /**
   * A load has failed for a key with a stale value, which readers get instead of the error. Emitted
   * besides `loadError`, once for each such load.
   */
  revalidateError: NodeEvent & {
    readonly error: unknown;
    /** The milliseconds for which the stale value is returned without another load. */
    readonly backOff: number;
  };
  /**
   * A node could not be loaded in advance, which costs no reader anything: its load has failed, or a
   * `related()` or a rule of `relate` has. In that case the node is the one that was missed.
   */
  prefetchError: NodeEvent & { readonly error: unknown };
  /** A journal was in trouble. Reads went on without it, and saves were rejected. */
  journalError: {
    readonly journal: string;
    readonly operation: JournalOperation;
    readonly error: Error;
  };
  /** A saved value was set aside, because its source does not take it. */
  deadLetter: {
    readonly journal: string;
    /** The name and version of the node class, such as `user:1`. */
    readonly node: string;
    /** The key of the node's entry, without the version. */
    readonly key: string;
    readonly attempts: number;
    readonly error: unknown;
  };
  /**
   * A journal has unsaved values of a class that this process has not used. Emitted at most once a
   * minute.
   */
  unsavedWaiting: { readonly journal: string; readonly node: string; readonly unsaved: number };
  /** A journal still had unsaved values when it was closed. */
  unsavedLeft: {
    readonly journal: string;
    readonly unsaved: number;
    /** Whether they are lost, because the journal is not durable. */
    readonly isLost: boolean;
  };
  /**
   * A loaded value was returned, but its node's serializer cannot carry it, so no remote tier
   * stores it.
   */
  notStored: NodeEvent & { readonly error: Error };
  /** An invalidation has reached every tier, perhaps after it was repeated. */
  invalidate: NodeEvent;
  /** An `expire` has reached every tier, perhaps after a removal was repeated. */
  expire: NodeEvent;
  /** An invalidation of tags has reached every storage. */
  invalidateTags: { readonly tags: readonly string[] };
  /** An `invalidateSoon` has failed, or a tier could not be reached yet. */
  invalidateError: { readonly error: Error };
  /**
   * The bytes under a node's key in a remote storage cannot be read, so they are a miss. Emitted at
   * most once a minute for each class, storage and fault.
   */
  unreadable: {
    /** The name of the node class. */
    readonly node: string;
    readonly storage: string;
    /** The whole key under which the storage keeps the bytes. */
    readonly storageKey: string;
    readonly fault: UnreadableFault;
    /** The error of the serializer or the decompression (`undecodable`), or of the `schema`. */
    readonly error: Error | undefined;
  };
  /**
   * A storage was in trouble; the read or write went on without it. Calls that an open circuit
   * breaker refuses are not reported.
   */
  storageError: {
    readonly storage: string;
    readonly operation: StorageOperation;
    readonly error: Error;
  };
  /** A local storage has saved its entries to a file, or has read them at the start. */
  snapshot: SnapshotReport & {
    readonly storage: string;
    readonly file: string;
    readonly operation: "read" | "save";
  };
  /**
   * A local storage could not read or save its entries. Without the file it starts empty; after a
   * failed save the older file stays.
   */
  snapshotError: {
    readonly storage: string;
    readonly file: string;
    readonly operation: "read" | "save";
    readonly fault: SnapshotFault;
    readonly error: Error;
  };
  /**
   * The circuit breaker of a storage has changed its state. It opens when the storage has stopped
   * answering, is half open while a call tries the storage, and closes when the storage answers.
   */
  breaker: {
    readonly storage: string;
    readonly state: BreakerState;
    /** The last failure; `undefined` if the state is `closed`. */
    readonly error: Error | undefined;
  };
  /** News of other processes arrive from now on, or do not arrive any more. */
  busState: {
    /** The label of the bus. */
    readonly bus: string;
    readonly state: "subscribed" | "lost";
    /** The reason of a loss. */
    readonly error?: Error;
  };
  /** Every local entry that the bus keeps up to date was dropped, because news may be missing. */
  busDrop: { readonly bus: string; readonly reason: BusDropReason };
  /**
   * The bus was in trouble, so that other processes may notice news late. `"receive"` means that a
   * local storage did not drop its entries.
   */
  busError: {
    readonly bus: string;
    readonly operation: "publish" | "receive" | "close";
    readonly error: Error;
  };
}

/** The reason why every local entry that the bus keeps up to date was dropped. */
export type BusDropReason =
  /** The subscription has come into force. */
  | "subscribed"
  /** News may have been missed soon after the subscription. */
  | "settled"
  /** The numbers of a process show that some of its news were missed. */
  | "gap"
  /** The heartbeats of a process are missing. */
  | "heartbeat"
  /** A message of a newer release has arrived. */
  | "newer"
  /** More news arrived than could be handled. */
  | "overflow"
  /** The server has reported that any entry may have changed. */
  | "server";

/** The fields of every event about one node. */
export interface NodeEvent {
  /** The name of the node class. */
  readonly node: string;
  readonly key: string;
}

export type CachemeListener<E extends keyof CachemeEvents> = (event: CachemeEvents[E]) => void;

type Listeners = { [E in keyof CachemeEvents]: CachemeListener<E>[] | null };

/**
 * The listeners of one `Cacheme`. A list without listeners is `null`. So a hot path checks it with
 * one comparison and builds no unused event.
 */
export class Events {
  readonly listeners: Listeners = {
    hit: null,
    errorHit: null,
    miss: null,
    load: null,
    loadError: null,
    save: null,
    saveError: null,
    loadRetry: null,
    revalidateError: null,
    prefetchError: null,
    journalError: null,
    deadLetter: null,
    unsavedWaiting: null,
    unsavedLeft: null,
    notStored: null,
    invalidate: null,
    expire: null,
    invalidateTags: null,
    invalidateError: null,
    unreadable: null,
    storageError: null,
    snapshot: null,
    snapshotError: null,
    breaker: null,
    busState: null,
    busDrop: null,
    busError: null,
  };

  /** @throws ConfigurationError `CACHEME_INVALID_OPTION` for an unknown event */
  on<E extends keyof CachemeEvents>(event: E, listener: CachemeListener<E>): () => void {
    if (!Object.hasOwn(this.listeners, event) || typeof listener !== "function") {
      throw new ConfigurationError(
        "CACHEME_INVALID_OPTION",
        `on(${JSON.stringify(event)}, …) expected a function, and one of the events ` +
          `${Object.keys(this.listeners).join(", ")}.`,
      );
    }
    const lists: Record<E, CachemeListener<E>[] | null> = this.listeners;
    // Wraps the listener, so that adding it twice needs two removals.
    const own: CachemeListener<E> = (payload) => listener(payload);
    lists[event] = [...(lists[event] ?? []), own];
    return () => {
      const rest = (lists[event] ?? []).filter((other) => other !== own);
      lists[event] = rest.length === 0 ? null : rest;
    };
  }

  /**
   * Calls the event's listeners. If a listener throws or rejects, a process warning reports it, and
   * the others still run.
   */
  emit<E extends keyof CachemeEvents>(event: E, payload: CachemeEvents[E]): void {
    const lists: Record<E, CachemeListener<E>[] | null> = this.listeners;
    for (const listener of lists[event] ?? []) {
      try {
        const answer: unknown = listener(payload); // A listener may be asynchronous, although nobody waits for it.
        if (types.isPromise(answer)) answer.catch((error: unknown) => warnOf(event, error));
      } catch (error) {
        warnOf(event, error);
      }
    }
  }
}

function warnOf(event: string, error: unknown): void {
  process.emitWarning(`A listener of Cacheme's "${event}" event threw: ${reasonOf(error)}`, "CachemeWarning");
}
