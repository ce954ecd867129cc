/** A server that the suite may kill, pause and put behind a proxy. */
export interface ComplianceServer {
  /** The server's address, which the suite passes to `create`. */
  readonly url: string;
  /** Kills the server (SIGKILL), and waits until it has ended. */
  kill(): Promise<void>;
  /**
   * Kills the server if it runs, starts it again at the same address, and waits until it answers.
   */
  restart(): Promise<void>;
  /** Pauses the server (SIGSTOP): connections stay open, and the server answers nothing. */
  pause(): Promise<void>;
  /** Resumes a paused server (SIGCONT). */
  resume(): Promise<void>;
  /**
   * Opens a TCP proxy before the server. Leave it out if clients discover the servers' own
   * addresses, as in a cluster: the suite then skips all tests that need a proxy.
   */
  proxy?(): Promise<ComplianceProxy>;
}

/** A TCP proxy that imitates a network's faults. */
export interface ComplianceProxy {
  /** The server's address through the proxy. */
  readonly url: string;
  /**
   * The number of times that a client sent something first or after an answer of the server, since
   * {@link resetCounts}.
   */
  readonly counts: { readonly roundTrips: number };
  /** The number of open connections. */
  readonly open: number;
  resetCounts(): void;
  /** Resets all connections. New connections are served. */
  cut(): void;
  /**
   * Drops all bytes in both directions and closes nothing. A connection that has lost bytes stays
   * dead after {@link heal}.
   */
  partition(): void;
  /** Closes the open connections and refuses new ones. */
  refuse(): Promise<void>;
  /** Ends a partition or a refusal. */
  heal(): Promise<void>;
  close(): Promise<void>;
}
