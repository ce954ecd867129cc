import { isError, refusal } from "./exchange.js";
import type { Answer } from "./protocol.js";
import { type ServerFacts, serverFacts, statsOf } from "./server-facts.js";
import type { Wire } from "./wire.js";

/** What the command is called by that tells a server the account: servers with accounts do not look at it. */
export const accountItem = "#cacheme:account";

/** What a server with `--auth-file` asks for. */
export interface Account {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/**
 * Says on a new wire who is there, and asks the server who it is.
 *
 * @param label the server, for messages
 * @throws Refusal with the server's words where it does not let us in; StorageError where the storage cannot work with it
 */
export async function introduced(
  wire: Wire,
  { username, password }: Account,
  label: string,
): Promise<ServerFacts> {
  if (username !== undefined) {
    const words = Buffer.from(`${username} ${password ?? ""}`);
    // A server that wants no password would keep it as an item: this one has expired before it is stored, which removes
    // what had its name. So it has a name that no record of ours can have, and hardly one of another program's. One that does
    // not know the account gives fewer answers than it got commands, so nothing is sent behind it.
    await accepted(wire.send([`set ${accountItem} 0 -1 ${words.length}\r\n`, words, "\r\n"], 1).answers);
  }
  const answers = await Promise.all([
    statistics(wire.send(["stats\r\n"], "END").answers),
    statistics(wire.send(["stats settings\r\n"], "END").answers),
  ]);
  return serverFacts(statsOf(answers.flat()), label);
}

async function accepted(asked: Promise<readonly Answer[]>): Promise<readonly Answer[]> {
  const answers = await asked;
  const refused = answers.find(isError);
  if (refused !== undefined) throw refusal(refused);
  return answers;
}

/** Statistics end with a line of their own. Another kind of server says something else. */
async function statistics(asked: Promise<readonly Answer[]>): Promise<readonly Answer[]> {
  const answers = await accepted(asked);
  const last = answers.at(-1);
  if (last !== undefined && last.code !== "END") throw refusal(last);
  return answers;
}
