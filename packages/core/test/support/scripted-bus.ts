import type { Bus, BusConnection, BusReceiver } from "../../src/index.js";

/** A bus whose other side is the test. Its own messages come back, unless it is deaf. */
export class ScriptedBus implements Bus {
  readonly label: string = "scripted bus";
  readonly sent: string[] = [];
  readonly restarts: string[] = [];
  longestMessage = 65_536;
  isDeaf = false;
  isClosed = false;
  /** Called before messages are taken; may wait or throw. */
  gate: () => Promise<void> | void = () => {};
  /** Called before the connection is there; may wait or throw. */
  connects: () => Promise<void> | void = () => {};
  #receiver: BusReceiver | undefined;

  async connect(receiver: BusReceiver): Promise<BusConnection> {
    await this.connects();
    this.#receiver = receiver;
    receiver.subscribed();
    return {
      longestMessage: this.longestMessage,
      publish: async (messages) => {
        await this.gate();
        this.sent.push(...messages);
        if (!this.isDeaf) for (const message of messages) receiver.message(message);
      },
      restart: ({ message }) => this.restarts.push(message),
      close: async () => {
        this.isClosed = true;
      },
    };
  }

  /** The receiver that the core has given. */
  get receiver(): BusReceiver {
    if (this.#receiver === undefined) throw new Error("The bus is not connected.");
    return this.#receiver;
  }
}
