import { connect, type Socket } from "node:net";

/** A plain connection that speaks to a server in lines, as a person with telnet would. */
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

  /** What the server has said so far. */
  get heard(): string {
    return this.#heard;
  }

  say(line: string): void {
    this.socket.write(`${line}\r\n`);
  }

  /** The server's next words, as soon as they end with a line break; `"closed"` if it hangs up instead. */
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

/** One question on a connection of its own. */
export async function ask(port: number, line: string): Promise<string> {
  const conversation = new Conversation(port);
  const answer = await conversation.ask(line);
  conversation.end();
  return answer;
}
