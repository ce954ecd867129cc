import type * as kit from "cacheme/driver";
import { type Generation, generationFrom, generationText } from "cacheme/driver";
import type { Client, Method, Part } from "./client.js";
import { expiry, ttlSeconds } from "./exptime.js";
import { itemData, itemOf } from "./record.js";
import type { Server } from "./server.js";
import { isChanged, isFull, refusal } from "./trouble.js";

/*
 * Generations are ordinary records. Each is read first, and then written on condition that nothing
 * has changed since, so that one of many makes it, and no later generation has an earlier time. A
 * writer that was second reads again.
 *
 * Their time is the server's, as each client has read it: within two seconds of it. The servers of a
 * pool have a clock each, so the grant of a lease has no time to compare with them.
 */

/** A tag with the name of its item. */
interface Tag extends kit.NewGeneration {
  readonly name: string;
}

interface Seen extends Tag {
  readonly generation: Generation | undefined;
  /** The CAS of the item, whatever it is. Empty if there is no item. */
  readonly cas: string;
  readonly left: number;
}

/** The generations of one server's tags that a call makes. */
interface Making extends Pick<Part, "server" | "call"> {
  readonly seconds: number | undefined;
  /** The generations so far, by key. */
  readonly made: Map<string, Generation>;
}

export const ensure: Method<"ensure"> = (client, ...asked) =>
  untilMade(client, asked, async (making, seen) => {
    const least = leastLeft(making);
    const missing: Seen[] = [];
    const brief: Seen[] = [];
    for (const tag of seen) {
      if (tag.generation === undefined) missing.push(tag);
      else making.made.set(tag.key, tag.generation);
      if (tag.generation !== undefined && tag.left < least) brief.push(tag);
    }
    // Nearly always, there is nothing to write.
    if (missing.length + brief.length === 0) return [];
    const left = await Promise.all([write(making, missing), prolong(making, brief)]);
    return left.flat();
  });

export const bump: Method<"bump"> = (client, ...asked) =>
  untilMade(client, asked, (making, seen) => write(making, seen, { mayLose: true }));

/** @param change writes the tags that a look has seen, and returns those to look at again */
async function untilMade(
  client: Client,
  [tags, ttl, call]: Parameters<NonNullable<kit.Driver["ensure"]>>,
  change: (making: Making, seen: readonly Seen[]) => Promise<readonly Tag[]>,
): Promise<kit.Made> {
  const keys = tags.map(({ key }) => key);
  const made = new Map<string, Generation>();
  await client.each(keys, call, async ({ server, places, names }) => {
    const making: Making = { server, call, seconds: ttlSeconds(ttl), made };
    let open: readonly Tag[] = places.map((place, index) => {
      return { key: keys[place] ?? "", id: tags[place]?.id ?? "", name: names[index] ?? "" };
    });
    while (open.length > 0) open = await change(making, await look(making, open));
  });
  return keys.map((key) => made.get(key));
}

async function look({ server, call }: Making, tags: readonly Tag[]): Promise<readonly Seen[]> {
  const names = tags.map(({ name }) => name);
  const answers = await server.get(call, names, () => "v f t c");
  const seen: Seen[] = [];
  // Without spreads, which cost most of the look.
  for (const [index, { key, id, name }] of tags.entries()) {
    const answer = answers[index];
    if (answer?.code === "VA") {
      const { bytes, cas, left } = itemOf(answer, name, key);
      seen.push({ key, id, name, generation: generationFrom(bytes), cas, left });
    } else if (answer?.code === "EN") {
      seen.push({ key, id, name, generation: undefined, cas: "", left: 0 });
    } else if (answer !== undefined) throw refusal(answer);
  }
  return seen;
}

/** @returns the tags that another client has written since the look */
async function write(
  { server, call, seconds, made }: Making,
  seen: readonly Seen[],
  { mayLose = false }: { readonly mayLose?: boolean } = {},
): Promise<readonly Tag[]> {
  const written = seen.map(({ id, generation }) => ({ id, at: timeAfter(generation, server) }));
  const answers = await server.ask(call, (batch) => {
    const end = expiry(seconds, server);
    for (const [index, { key, name, cas }] of seen.entries()) {
      const text = generationText(written[index] ?? { id: "", at: 0 });
      const { flags, pieces } = itemData(name, key, Buffer.from(text));
      batch.store(name, `T${end} F${flags} ${cas === "" ? "ME" : `C${cas}`}`, pieces);
    }
  });
  const again: Tag[] = [];
  const lost: Tag[] = [];
  for (const [index, answer] of answers.entries()) {
    const [tag, generation] = [seen[index], written[index]];
    if (tag === undefined || generation === undefined) continue;
    if (isChanged(answer)) {
      again.push(tag);
      continue;
    }
    if (answer.code !== "HD") {
      if (!mayLose || !isFull(refusal(answer))) throw refusal(answer);
      lost.push(tag);
    }
    made.set(tag.key, generation);
  }
  // A full server loses generations, so that each entry of the tags is a miss.
  const removals = lost.map(({ name }) => `md ${name}`);
  for (const answer of removals.length === 0 ? [] : await server.send(call, removals))
    if (answer.code !== "HD" && answer.code !== "NF") throw refusal(answer);
  return again;
}

/** Sets a new end with `mg … T`, without the bytes. Returns the tags whose item is gone. */
async function prolong({ server, call, seconds }: Making, brief: readonly Seen[]): Promise<readonly Tag[]> {
  const answers = await server.ask(call, (batch) => {
    const end = expiry(seconds, server);
    for (const { name } of brief) batch.command(`mg ${name} T${end}`);
  });
  return answers.flatMap((answer, index) => {
    if (answer.code === "HD") return [];
    if (answer.code !== "EN") throw refusal(answer);
    return brief[index] ?? [];
  });
}

function timeAfter(before: Generation | undefined, server: Server): number {
  const now = Math.floor(server.now() * 1000);
  return before === undefined ? now : Math.max(now, before.at + 1);
}

/** Returns the seconds that an item must be kept for. The server's time is known to two seconds. */
function leastLeft({ server, seconds }: Making): number {
  const end = expiry(seconds, server);
  return end === seconds ? end : end - server.now() - 2;
}
