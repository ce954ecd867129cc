import type { Socket } from "node:net";
import { setImmediate } from "cacheme/driver";
import type { RedisOptions } from "ioredis";
import { unref } from "./connection.js";
import { type Address, mapped, nameOf } from "./connection-options.js";
import { type Library, newClient } from "./ioredis.js";
import type { SentinelSettings } from "./options.js";
import { NoMasterError } from "./trouble.js";

/**
 * Asks all sentinels for the master's address at once, and takes the first good answer. This
 * happens before each attempt to connect, so a fail-over costs no more than the attempts that fail
 * meanwhile. The named server must confirm its role, because a sentinel that was cut off may name a
 * former master.
 */
export async function masterOf(
  library: Library,
  { sentinels, name, sentinelOptions, natMap }: SentinelSettings,
  serverOptions: RedisOptions,
  signal: AbortSignal,
): Promise<Address> {
  const questions = sentinels.map(async (sentinel) => {
    const question = ["sentinel", "get-master-addr-by-name", name] as const;
    const answer = await ask(library, { ...sentinelOptions, ...sentinel }, signal, question);
    if (!Array.isArray(answer)) {
      throw new NoMasterError(`the sentinels know no master called ${JSON.stringify(name)}`);
    }
    const address = mapped({ host: String(answer[0]), port: Number(answer[1]) }, natMap);
    const role = await ask(library, { ...serverOptions, ...address }, signal, ["role"]);
    if (!Array.isArray(role) || role[0] !== "master") {
      throw new NoMasterError(`the server that the sentinels name, ${nameOf(address)}, is not a master`);
    }
    return address;
  });
  return Promise.any(questions);
}

/** Asks one question on a connection of its own, which keeps no process alive. */
async function ask(
  library: Library,
  options: RedisOptions,
  signal: AbortSignal,
  [command, ...words]: readonly [string, ...string[]],
): Promise<unknown> {
  signal.throwIfAborted();
  const client = newClient(library, { ...options, enableReadyCheck: false });
  let failure: Error | undefined;
  client.on("error", (error: Error) => {
    failure ??= error;
  });
  const hangUp = (): void => {
    const stream: Socket | undefined = client.stream;
    stream?.destroy();
    client.disconnect();
  };
  signal.addEventListener("abort", hangUp);
  try {
    const connected = client.connect();
    setImmediate(() => unref(client.stream));
    await connected;
    return await client.call(command, ...words);
  } catch (error) {
    throw failure ?? error;
  } finally {
    signal.removeEventListener("abort", hangUp);
    hangUp();
  }
}
