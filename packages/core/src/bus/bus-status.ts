/** The state of the bus; see `busStatus`. */
export interface BusStatus {
  readonly label: string;
  /** `"subscribed"` if news of other processes arrive. */
  readonly state: "connecting" | "subscribed" | "lost" | "closed";
  /** The number of messages that the bus has taken from this process. */
  readonly sent: number;
  /** The number of messages of other processes. */
  readonly received: number;
  /** The number of texts on the channel that are not Cacheme's. */
  readonly unreadable: number;
  /** The number of times that every bound local entry was dropped. */
  readonly drops: number;
  /** The number of other processes that have been heard. */
  readonly processes: number;
  /** The number of failed calls of the bus. */
  readonly failureCount: number;
  readonly lastError: Error | undefined;
}
