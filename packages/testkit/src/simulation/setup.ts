import type { CacheTier, Duration, NodeMeta, RegisterBusOptions, StalePolicy } from "cacheme";
import type { ServerFault } from "../cluster/simulated-server.js";
import type { SimulatedCapabilities } from "../cluster/simulated-storage.js";

/** The freshness options of a set-up's node class. */
export interface SimulatedFreshness extends StalePolicy {
  /** The share of the lifetime from which on reads load a value again. */
  readonly refreshAhead?: { readonly threshold: number } | undefined;
}

/** The options on the retention of a set-up's values, which are numbers. */
export interface SimulatedRetention {
  /** Returns the milliseconds that a value is kept. */
  readonly ttl?: ((value: number) => number) | undefined;
  readonly jitter?: number | undefined;
  readonly shouldCache?: ((value: number) => boolean) | undefined;
  /** The milliseconds that the error of a load is kept. */
  readonly errorTtl?: number | undefined;
}

/** A cluster for schedules: its processes, the tiers of its node class, its clocks. */
export interface Setup {
  /** The number of processes. */
  readonly processes: number;
  /**
   * The tiers of the node class. A storage with the name `local` is a memory storage in each
   * process; any other one is a server that all processes share.
   */
  readonly caches: readonly CacheTier[];
  /** Milliseconds that each process's clock is ahead of the true time. Default: 0. */
  readonly ahead?: readonly number[] | undefined;
  /** The same for each server, in the order of `caches`. */
  readonly serversAhead?: readonly number[] | undefined;
  /** The capabilities of the servers. Default: all. */
  readonly capabilities?: SimulatedCapabilities | undefined;
  /**
   * Whether a request may still arrive after its process has given up, or twice. Storages without
   * leases promise nothing then. Default: `true`.
   */
  readonly lateRequests?: boolean | undefined;
  /**
   * The way in which each value gets a tag: `before` its load, from the node, or `after` it, from
   * the load. Default: no tags.
   */
  readonly tags?: "before" | "after" | undefined;
  /** Whether the processes have a bus, or its options. Default: `false`. */
  readonly bus?: boolean | RegisterBusOptions | undefined;
  /** The length of leases, or `false` for none. Default: 400 ms, so that leases end in a schedule. */
  readonly lease?: Duration | false | undefined;
  /** The options of the node class that return stale values, or load before the expiry. Default: none. */
  readonly freshness?: SimulatedFreshness | undefined;
  /** The way of saved values. Default: nothing is saved. */
  readonly write?: "through" | "around" | undefined;
  /** The options that decide whether and how long a value, or an error, is kept. Default: none. */
  readonly retention?: SimulatedRetention | undefined;
  /** The limits on the duration of a load. Default: none. */
  readonly loadTimeout?: NodeMeta["loadTimeout"];
  /** Faults to plant in every server. Default: none. */
  readonly serverFaults?: readonly ServerFault[] | undefined;
}
