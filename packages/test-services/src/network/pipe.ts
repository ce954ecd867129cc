import type { Socket } from "node:net";

/** A chunk of data or the end of the stream, and its due time. */
interface Delivery {
  readonly chunk: Buffer | undefined;
  readonly due: number;
}

/**
 * One direction of a proxied connection. Bytes keep their order, and each is late by the latency.
 */
export class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #queue: Delivery[] = [];
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param delay returns the milliseconds by which a chunk that arrives now is delayed
   * @param passes returns whether a chunk may pass; the pipe drops other chunks
   * @param count receives the size of each chunk that arrives, dropped or not
   */
  constructor(
    from: Socket,
    to: Socket,
    delay: () => number,
    passes: () => boolean,
    count: (bytes: number) => void,
  ) {
    this.#from = from;
    this.#to = to;
    from.on("data", (chunk: Buffer) => {
      count(chunk.length);
      if (passes()) this.#take(chunk, delay());
    });
    from.once("end", () => {
      if (passes()) this.#take(undefined, delay());
    });
    to.on("drain", () => from.resume());
    to.once("close", () => clearTimeout(this.#timer));
  }

  #take(chunk: Buffer | undefined, delay: number): void {
    if (delay === 0 && this.#queue.length === 0) {
      this.#deliver(chunk);
      return;
    }
    this.#queue.push({ chunk, due: performance.now() + delay });
    if (this.#queue.length === 1) this.#wait();
  }

  #wait(): void {
    const next = this.#queue[0];
    if (next === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#queue.shift();
        this.#deliver(next.chunk);
        this.#wait();
      },
      Math.max(0, next.due - performance.now()),
    );
  }

  #deliver(chunk: Buffer | undefined): void {
    if (this.#to.destroyed) return;
    if (chunk === undefined) this.#to.end();
    else if (!this.#to.write(chunk)) this.#from.pause();
  }
}
