import { connect, type Socket } from "node:net";

/** A plain connection that exchanges lines with a server, like telnet. */
export class Conversation {
  readonly socket: Socket;
  #heard = "";
  #listening: (() => void) | undefined;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk) => {
      this.#heard += chunk.toString("latin1");
      this.#listening?.();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => this.#listening?.());
  }

  /** The server's output so far. */
  get heard(): string {
    return this.#heard;
  }

  say(line: string): void {
    this.socket.write(`${line}\r\n`);
  }

  /**
   * Returns the server's next output, as soon as it ends with a line break, or `"closed"` if the
   * server hangs up.
   */
  async hear(): Promise<string> {
    while (!this.#heard.endsWith("\r\n")) {
      if (this.socket.closed) return "closed";
      await new Promise<void>((resolve) => {
        this.#listening = resolve;
      });
    }
    const words = this.#heard.trimEnd();
    this.#heard = "";
    return words;
  }

  async ask(line: string): Promise<string> {
    this.say(line);
    return this.hear();
  }

  end(): void {
    this.socket.destroy();
  }
}

/** Sends one line on a new connection and returns the answer. */
export async function ask(port: number, line: string): Promise<string> {
  const conversation = new Conversation(port);
  const answer = await conversation.ask(line);
  conversation.end();
  return answer;
}
