import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection for commands of a test, to look at the items of a storage, or to write others. */
export class Raw {
  readonly #socket: Socket;
  #heard = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (piece) => {
      this.#heard += piece.toString("latin1");
    });
  }

  static async to(port: number): Promise<Raw> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Raw(socket);
  }

  /** Sends commands, and returns the answers as one string. */
  async say(...commands: readonly string[]): Promise<string> {
    this.#heard = "";
    this.#socket.write(`${commands.map((command) => `${command}\r\n`).join("")}mn\r\n`, "latin1");
    while (!this.#heard.endsWith("MN\r\n")) await once(this.#socket, "data");
    return this.#heard.slice(0, -"MN\r\n".length);
  }

  end(): void {
    this.#socket.destroy();
  }
}
