/** How long the server's time is taken for known, in milliseconds. */
const stale = 60_000;

/**
 * About what time it is on the server. Only the time at which a document may be swept up stands on it, with a margin:
 * what a read, a lease or a removal finds does not.
 */
export class ServerClock {
  #server = 0;
  #steady = Number.NEGATIVE_INFINITY;
  #wall = 0;

  /** The server has said what time it is. */
  learn(server: number): void {
    this.#server = server;
    this.#steady = performance.now();
    this.#wall = Date.now();
  }

  get isStale(): boolean {
    return performance.now() - this.#steady > stale;
  }

  /**
   * Rather too late than too early: while a machine sleeps only its wall clock goes on, and a wall clock may be set back,
   * so what went by is the longer of the two.
   */
  now(): number {
    return this.#server + Math.max(performance.now() - this.#steady, Date.now() - this.#wall, 0);
  }
}
