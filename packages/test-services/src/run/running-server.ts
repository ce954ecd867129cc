import { type ReservedPort, reservePort } from "../network/port.js";

/** A server that this process has started: a child process or a container. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Kills the server (SIGKILL), and waits until it has ended. */
  kill(): Promise<void>;
  /**
   * Kills the server if it runs, starts it again on the same port and folder, and waits until it
   * answers.
   */
  restart(): Promise<void>;
  /** Suspends the server (SIGSTOP): connections stay open, and the server answers nothing. */
  pause(): Promise<void>;
  /** Resumes a paused server (SIGCONT). */
  resume(): Promise<void>;
  /** Ends the server, and removes its folder and the reservation of its port. */
  stop(): Promise<void>;
}

/**
 * Reserves a port for a server and starts the server on it. A server that does not start is stopped again.
 *
 * @throws Error if the server does not start
 */
export async function startOnFreePort<S extends RunningServer>(
  create: (reserved: ReservedPort) => S,
  launch: (server: S) => Promise<void>,
): Promise<S> {
  const server = create(await reservePort());
  try {
    await launch(server);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
