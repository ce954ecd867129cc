import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { memcached as storage } from "@cacheme/memcached";
import { server } from "@cacheme/test-services";
import type { BareClient, BareRecord, StorageSubject } from "./subject.js";

/**
 * A minimal client, because no client on npm reads many keys with the meta protocol. It sends the
 * same commands with the same flags in one write, finds the answers in the data of the socket, and
 * returns views of it. It trusts the server completely, has one batch at a time, no deadline and no
 * errors.
 */
export const memcached: StorageSubject = {
  name: "memcached",
  async start() {
    const running = await server("memcached");
    const socket = connect({ host: "127.0.0.1", port: running.port, noDelay: true });
    await once(socket, "connect");
    return {
      storage: storage(running.url),
      bare: new LeastClient(socket),
      stop: async () => {
        socket.destroy();
        await running.stop();
      },
    };
  },
};

const [lf, space] = [10, 32];

class LeastClient implements BareClient {
  readonly #socket: Socket;
  #came: Buffer = Buffer.alloc(0);
  #at = 0;
  #values: (Buffer | undefined)[] = [];
  #awaited = 0;
  #resolve: (values: (Buffer | undefined)[]) => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (piece) => this.#read(piece));
  }

  readMany(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    let commands = "";
    for (let index = 0; index < keys.length; index++) commands += `mg ${keys[index]} v f t O${index}\r\n`;
    this.#socket.write(commands, "latin1");
    return this.#answers(keys.length);
  }

  writeMany(records: readonly BareRecord[]): Promise<unknown> {
    const lines = records.map(
      ({ key, bytes, ttl }) => `ms ${key} ${bytes.length} T${ttl / 1000} F${2 * bytes.length + 1}\r\n`,
    );
    let length = 0;
    for (let index = 0; index < lines.length; index++) {
      length += (lines[index]?.length ?? 0) + (records[index]?.bytes.length ?? 0) + 2;
    }
    const batch = Buffer.allocUnsafe(length);
    let at = 0;
    for (let index = 0; index < lines.length; index++) {
      at += batch.write(lines[index] ?? "", at, "latin1");
      at += records[index]?.bytes.copy(batch, at) ?? 0;
      at += batch.write("\r\n", at, "latin1");
    }
    this.#socket.write(batch);
    return this.#answers(records.length);
  }

  #answers(count: number): Promise<(Buffer | undefined)[]> {
    this.#awaited = count;
    this.#values = [];
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** An incomplete answer is parsed again with the next data. */
  #read(piece: Buffer): void {
    const came = this.#at < this.#came.length ? Buffer.concat([this.#came.subarray(this.#at), piece]) : piece;
    let at = 0;
    while (at < came.length) {
      const end = came.indexOf(lf, at);
      if (end === -1) break;
      if (came[at] !== 0x56) {
        this.#values.push(undefined);
        at = end + 1;
        continue;
      }
      let size = 0;
      for (let digit = at + 3; came[digit] !== space; digit++) size = size * 10 + (came[digit] ?? 0) - 48;
      if (end + 1 + size + 2 > came.length) break;
      this.#values.push(came.subarray(end + 1, end + 1 + size));
      at = end + 1 + size + 2;
    }
    this.#came = came;
    this.#at = at;
    if (this.#values.length === this.#awaited) this.#resolve(this.#values);
  }
}
