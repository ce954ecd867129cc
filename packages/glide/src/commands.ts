import type { KeyCommand, Outcome, Script } from "@cacheme/redis/records";
import {
  Batch,
  ClusterBatch,
  ClusterScanCursor,
  Decoder,
  type GlideClient,
  type GlideReturnType,
  type GlideString,
  RequestError,
} from "@valkey/valkey-glide";
import { type AnyGlideClient, isCluster } from "./options.js";

export const inBytes: { readonly decoder: Decoder } = { decoder: Decoder.Bytes };

/** The primary that answers for a whole cluster, the same one for each process, and a page of a scan. */
const route = { type: "primarySlotKey", key: "cacheme" } as const;
const count = 1000;

/**
 * Sends a command for each key, all of them in one round trip.
 *
 * @param known the scripts that were sent before. A server that has forgotten one gets it again.
 * @returns the answer of each command, or its error
 */
export async function each(
  client: AnyGlideClient,
  commands: readonly KeyCommand[],
  known: Set<Script>,
): Promise<Outcome[]> {
  const answers = await send(client, commands, (script) => !script.isAlwaysText && known.has(script));
  for (const { run } of commands) if (typeof run !== "string") known.add(run);
  const forgotten = commands.filter((_, index) => isForgotten(answers[index]));
  const again = forgotten.length === 0 ? [] : await send(client, forgotten, () => false);
  return answers.map((answer): Outcome => {
    const last = isForgotten(answer) ? again.shift() : answer;
    return last instanceof RequestError ? [last, null] : [null, last];
  });
}

/** Reads the clock of one server in milliseconds. */
export async function time(client: AnyGlideClient): Promise<number> {
  const answer = await (isCluster(client) ? client.time({ route }) : client.time());
  const [seconds = 0, microseconds = 0] = Object.values(answer).map(Number);
  return seconds * 1000 + Math.floor(microseconds / 1000);
}

/** Reads the INFO of each primary. */
export async function info(client: AnyGlideClient): Promise<string[]> {
  const answer = await (isCluster(client) ? client.info({ route: "allPrimaries" }) : client.info());
  return typeof answer === "string" ? [answer] : Object.values(answer).map(String);
}

/** The place in a scan. */
export type Cursor = string | ClusterScanCursor;

/** Reads a page of a scan. In a cluster, GLIDE visits each primary. After the last page there is no cursor. */
export async function page(
  client: AnyGlideClient,
  match: string,
  cursor?: Cursor,
): Promise<[keys: string[], next: Cursor | undefined]> {
  if (isCluster(client)) {
    const from = typeof cursor === "object" ? cursor : new ClusterScanCursor();
    const [next, keys] = await client.scan(from, { match, count });
    return [keys.map(String), next.isFinished() ? undefined : next];
  }
  const [next, keys] = await client.scan(typeof cursor === "string" ? cursor : "0", { match, count });
  return [keys.map(String), next === "0" ? undefined : String(next)];
}

async function send(
  client: AnyGlideClient,
  commands: readonly KeyCommand[],
  isKnown: (script: Script) => boolean,
): Promise<GlideReturnType[]> {
  const batch = isCluster(client) ? new ClusterBatch(false) : new Batch(false);
  for (const { run, key, args } of commands) {
    const words: GlideString[] = [key, ...args.map((arg) => (typeof arg === "number" ? String(arg) : arg))];
    if (typeof run === "string") batch.customCommand([run, ...words]);
    else if (isKnown(run)) batch.customCommand(["EVALSHA", run.sha, "1", ...words]);
    else batch.customCommand(["EVAL", run.text, "1", ...words]);
  }
  // Each client has the kind of batch that it takes.
  return (await (client as { exec: GlideClient["exec"] }).exec(batch as Batch, false, inBytes)) ?? [];
}

function isForgotten(answer: unknown): boolean {
  return answer instanceof RequestError && /NoScript|NOSCRIPT/.test(answer.message);
}
