import { connect } from "node:net";

/**
 * Checks that a server on 127.0.0.1 answers: sends a message on a new connection and judges the
 * answer.
 *
 * @param said the message, sent when the connection is open; empty if the server speaks first
 * @param judge receives everything that the server has sent so far; `undefined` waits for more
 * @returns `false` also if nothing listens, the server hangs up or the time has passed
 */
export function probe(
  port: number,
  milliseconds: number,
  said: string | Uint8Array,
  judge: (heard: Buffer) => boolean | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let heard = Buffer.alloc(0);
    const settle = (ready: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(ready);
    };
    const timer = setTimeout(() => settle(false), milliseconds);
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
    socket.on("data", (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      const verdict = judge(heard);
      if (verdict !== undefined) settle(verdict);
    });
    if (said.length > 0) socket.write(said);
  });
}
