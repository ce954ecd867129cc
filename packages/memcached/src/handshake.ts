import type { Answer } from "./answers.js";
import type { Connection } from "./connection.js";
import { type ServerFacts, serverFacts, statsOf } from "./server-facts.js";
import { isErrorAnswer, refusal } from "./trouble.js";

/** The item of the command that sends the account. A server with accounts ignores the name. */
export const accountItem = "#cacheme:account";

/** The account for a server with `--auth-file`. */
export interface Account {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/**
 * Sends the account on a new connection, and asks the server for its statistics.
 *
 * @param label the server, for messages
 * @throws Refusal with the server's words if it refuses the account, StorageError if the storage
 *   cannot work with it
 */
export async function handshake(
  connection: Connection,
  { username, password }: Account,
  label: string,
): Promise<ServerFacts> {
  if (username !== undefined) {
    const words = Buffer.from(`${username} ${password ?? ""}`);
    // A server without accounts would store an item. This item has expired before it is stored,
    // which removes the item with its name, so the name is one that no record of ours can have, and
    // hardly a record of another program. A server that does not know the account answers fewer
    // times than it got commands, so nothing is sent behind it.
    const [answer] = await connection.send([`set ${accountItem} 0 -1 ${words.length}\r\n`, words, "\r\n"], 1)
      .answers;
    if (answer !== undefined && isErrorAnswer(answer)) throw refusal(answer);
  }
  const answers = await Promise.all([
    statistics(connection.send(["stats\r\n"], "END").answers),
    statistics(connection.send(["stats settings\r\n"], "END").answers),
  ]);
  return serverFacts(statsOf(answers.flat()), label);
}

/** Statistics end with a line of their own. A server of another kind sends something else. */
async function statistics(asked: Promise<readonly Answer[]>): Promise<readonly Answer[]> {
  const answers = await asked;
  const last = answers.at(-1);
  if (last !== undefined && last.code !== "END") throw refusal(last);
  return answers;
}
