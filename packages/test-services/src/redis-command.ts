import { probe } from "./probe.js";

/**
 * One command on a connection of its own, in the protocol's inline form.
 *
 * @returns the text of the answer
 * @throws Error if the server answers with an error, or with nothing within two seconds
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
