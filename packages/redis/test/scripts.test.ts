import { EventEmitter } from "node:events";
import type { StorageCall } from "cacheme/driver";
import { expect, it } from "vitest";
import { Attempt } from "../src/client.js";
import type { RedisClient } from "../src/ioredis.js";
import { OneServer } from "../src/one-server.js";
import { release } from "../src/scripts.js";

/** A client of a proxy, which gives each key a server of its own. */
class ProxyClient extends EventEmitter {
  readonly status = "ready";
  /** The keys whose servers know the script. */
  readonly #known = new Set<string>();

  pipeline() {
    const answers: [Error | null, unknown][] = [];
    return {
      callBuffer: (name: string, _script: string, _keys: number, key: string) => {
        if (name === "eval") this.#known.add(key);
        answers.push(this.#known.has(key) ? [null, 1] : [new Error("NOSCRIPT No matching script"), null]);
      },
      exec: async () => answers,
    };
  }
}

it("a script reaches every server behind a proxy, which shares no scripts", async () => {
  const client = new ProxyClient() as unknown as RedisClient;
  const server = new OneServer({ client, own: undefined, isPersistent: true, connectTimeout: 1000 });
  const attempt = new Attempt({ isLate: false } as StorageCall);
  const commands = ["a", "b", "c", "d"].map((key) => ({ run: release, key, args: ["token"] }));
  expect(await server.each(commands, attempt)).toEqual(commands.map(() => [null, 1]));
});
