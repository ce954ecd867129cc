import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Words spoken to a server by hand, to see what a storage has left there, or to leave it something. */
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

  /** What the server answers to commands, in one text. */
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
