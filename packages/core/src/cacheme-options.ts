import type { KeepAwake } from "./background.js";
import type { Clock } from "./clock.js";

/** The settings of an isolated `Cacheme`. */
export interface CachemeOptions {
  /** The first part of every key in remote storages. Default: `"cacheme"`. */
  readonly prefix?: string | undefined;
  /** The source of time. Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Keeps the host awake until background work is done; see `setBackground`. Default: none. */
  readonly background?: KeepAwake | undefined;
}
