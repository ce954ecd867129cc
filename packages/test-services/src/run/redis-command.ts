import { probe } from "../network/probe.js";

/** Milliseconds for servers to agree: more than they need, even on a busy machine. */
const patience = 30_000;

/**
 * Sends one command on a new connection, in the protocol's inline form.
 *
 * @returns the text of the answer
 * @throws Error if the server answers with an error, or does not answer within two seconds
 */
export async function redisCommand(port: number, command: string): Promise<string> {
  let answer = "";
  const heard = await probe(port, 2000, `${command}\r\n`, (bytes) => {
    answer = bytes.toString("latin1");
    const [head = ""] = answer.split("\r\n", 1);
    if (!answer.includes("\r\n")) return undefined;
    if (!head.startsWith("$")) return true;
    return answer.length >= head.length + Number(head.slice(1)) + 4 ? true : undefined;
  });
  if (heard && !answer.startsWith("-")) return answer.replace(/^\$\d+\r\n|^[+:]/, "").trimEnd();
  throw new Error(`Redis on port ${port} answered ${command} with ${answer || "nothing"}`);
}

/**
 * Asks servers, one after the other, until each gives an expected answer. A question without an answer is repeated: a
 * sentinel that changes a server's role closes the server's connections.
 *
 * @throws Error with the last answer if a server has not given an expected one after half a minute
 */
export async function untilRedis(
  ports: readonly number[],
  question: string,
  expected: RegExp,
): Promise<void> {
  const deadline = Date.now() + patience;
  for (const port of ports) {
    for (;;) {
      const answer = await redisCommand(port, question).catch(String);
      if (expected.test(answer)) break;
      if (Date.now() > deadline)
        throw new Error(`Expected ${expected} of port ${port} for ${question}, got:\n${answer}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
