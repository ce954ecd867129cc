import { EventEmitter } from "node:events";
import type { StorageCall } from "cacheme/driver";
import { expect, it } from "vitest";
import { Attempt } from "../src/client.js";
import type { Outcome } from "../src/commands.js";
import type { RedisClient } from "../src/ioredis.js";
import { OneServer } from "../src/one-server.js";
import { release } from "../src/scripts.js";

/** A client of a proxy, which gives each key a server of its own. */
class ProxyClient extends EventEmitter {
  readonly status = "ready";
  /** The keys whose servers know the script. */
  readonly known: Set<string> = new Set();
  /** The names of the commands. */
  readonly sent: string[] = [];
  failure: Error | undefined;

  async callBuffer(name: string, _script: string, _keys: number, key: string) {
    this.sent.push(name);
    if (this.failure !== undefined) throw this.failure;
    if (name === "eval") this.known.add(key);
    if (!this.known.has(key)) throw new Error("NOSCRIPT No matching script");
    return 1;
  }

  pipeline() {
    const answers: Promise<[Error | null, unknown]>[] = [];
    return {
      callBuffer: (...command: Parameters<ProxyClient["callBuffer"]>) => {
        const answered = (answer: number): [null, number] => [null, answer];
        answers.push(this.callBuffer(...command).then(answered, (error: Error) => [error, null]));
      },
      exec: () => Promise.all(answers),
    };
  }
}

/** Sends a script for each of the keys. */
function sender(client: ProxyClient): (keys: readonly string[]) => Promise<Outcome[]> {
  const server = new OneServer({
    client: client as unknown as RedisClient,
    own: undefined,
    isPersistent: true,
    connectTimeout: 1000,
  });
  const attempt = new Attempt({ isLate: false } as StorageCall);
  return (keys) => {
    const commands = keys.map((key) => ({ run: release, key, args: ["token"] }));
    return server.each(commands, attempt);
  };
}

it("a script reaches every server behind a proxy, which shares no scripts", async () => {
  const send = sender(new ProxyClient());
  expect(await send(["a", "b", "c", "d"])).toEqual(["a", "b", "c", "d"].map(() => [null, 1]));
});

it("a lone script is sent by its name, and once more with its text if the server has forgotten it", async () => {
  const client = new ProxyClient();
  const send = sender(client);
  for (const _ of ["first", "known"]) expect(await send(["a"])).toEqual([[null, 1]]);
  client.known.clear();
  expect(await send(["a"])).toEqual([[null, 1]]);
  expect(client.sent).toEqual(["eval", "evalsha", "evalsha", "eval"]);
});

it("an error of a lone command is its outcome", async () => {
  const client = new ProxyClient();
  client.failure = new Error("WRONGTYPE wrong kind of value");
  expect(await sender(client)(["a"])).toEqual([[client.failure, null]]);
});
