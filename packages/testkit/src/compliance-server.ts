/** A server that the suite may do to whatever it likes: kill it, stop it, put a bad network before it. */
export interface ComplianceServer {
  /** Its address, which `create` is given. */
  readonly url: string;
  /** Ends it at once (SIGKILL), and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends it if it runs, starts it again at the same address, and waits until it answers. */
  restart(): Promise<void>;
  /** Stops it where it stands (SIGSTOP): connections stay open, nothing is answered. */
  pause(): Promise<void>;
  /** Lets a stopped server go on (SIGCONT). */
  resume(): Promise<void>;
  /**
   * A TCP proxy before the server. Left out where clients find the servers' own addresses, as in a cluster: what needs a
   * proxy is not tried then.
   */
  proxy?(): Promise<ComplianceProxy>;
}

/** A TCP proxy that can do what networks do. */
export interface ComplianceProxy {
  /** The server's address by way of the proxy. */
  readonly url: string;
  /** How often a client spoke first or after the server had answered it, since {@link resetCounts}. */
  readonly counts: { readonly roundTrips: number };
  /** How many connections are open now. */
  readonly open: number;
  resetCounts(): void;
  /** Closes all connections with a reset. New ones are served. */
  cut(): void;
  /** Swallows all bytes in both directions and closes nothing. What has lost bytes stays dead after {@link heal}. */
  partition(): void;
  /** Refuses new connections and closes the open ones. */
  refuse(): Promise<void>;
  /** Ends a partition or a refusal. */
  heal(): Promise<void>;
  close(): Promise<void>;
}
