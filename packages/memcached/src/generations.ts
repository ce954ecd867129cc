import {
  type Generation,
  generationFrom,
  generationText,
  type Made,
  type NewGeneration,
  type StorageCall,
} from "cacheme/driver";
import type { Client } from "./client.js";
import { expiry, ttlSeconds } from "./exptime.js";
import { itemName } from "./item-name.js";
import { itemData, itemOf } from "./record.js";
import type { Server } from "./server.js";
import type { ServerCall } from "./server-call.js";
import { isFull, refusal } from "./trouble.js";

/*
 * Generations are ordinary records. Each is read first, and then written on condition that nothing
 * has changed since, so that one of many makes it, and no later generation has an earlier time. A
 * writer that was second reads again.
 *
 * Their time is the server's, as each client has read it: within two seconds of it, and never
 * before the time that was there. The servers of a pool have a clock each, so the grant of a lease
 * has no time to compare with them.
 */

/** A tag with the name of its item. */
interface Tag extends NewGeneration {
  readonly name: string;
}

interface Seen extends Tag {
  readonly generation: Generation | undefined;
  /** The CAS of the item, whatever it is. Empty if there is no item. */
  readonly cas: string;
  readonly left: number;
}

/** The generations so far, by key. */
type Generations = Map<string, Generation>;

/**
 * One look at the tags of a server that are still open. Adds what it made, and returns what is open
 * after it.
 */
type Round = (part: ServerCall, open: readonly Tag[], made: Generations) => Promise<readonly Tag[]>;

export function ensure(
  client: Client,
  tags: readonly NewGeneration[],
  ttl: number | undefined,
  call: StorageCall,
): Promise<Made> {
  const seconds = ttlSeconds(ttl);
  return untilMade(client, tags, call, async (part, open, made) => {
    const seen = await look(part, open);
    const least = leastLeft(part.server, seconds);
    const missing = seen.filter(({ generation }) => generation === undefined);
    const brief = seen.filter(({ generation, left }) => generation && left < least);
    for (const { key, generation } of seen) if (generation !== undefined) made.set(key, generation);
    const left = await Promise.all([write(part, missing, seconds, made), prolong(part, brief, seconds)]);
    return left.flat();
  });
}

export function bump(
  client: Client,
  tags: readonly NewGeneration[],
  ttl: number | undefined,
  call: StorageCall,
): Promise<Made> {
  const seconds = ttlSeconds(ttl);
  return untilMade(client, tags, call, async (part, open, made) =>
    write(part, await look(part, open), seconds, made, { mayLose: true }),
  );
}

async function untilMade(
  client: Client,
  tags: readonly NewGeneration[],
  call: StorageCall,
  round: Round,
): Promise<Made> {
  const named = tags.map((tag): Tag => ({ ...tag, name: itemName(tag.key) }));
  const made: Generations = new Map();
  const names = named.map(({ name }) => name);
  await client.each(names, call, async (part) => {
    let open: readonly Tag[] = part.places.flatMap((place) => named[place] ?? []);
    while (open.length > 0) open = await round(part, open, made);
  });
  return tags.map(({ key }) => made.get(key));
}

async function look(part: ServerCall, tags: readonly Tag[]): Promise<readonly Seen[]> {
  const names = tags.map(({ name }) => name);
  const answers = await part.get(names, () => "v f t c");
  return answers.flatMap((answer, index) => {
    const tag = tags[index];
    if (tag === undefined) return [];
    if (answer.code === "EN") return [{ ...tag, generation: undefined, cas: "", left: 0 }];
    if (answer.code !== "VA") throw refusal(answer);
    const { bytes, cas, left } = itemOf(answer, tag.name, tag.key);
    return [{ ...tag, generation: generationFrom(bytes), cas, left }];
  });
}

/** @returns the tags that another client has written since the look */
async function write(
  part: ServerCall,
  seen: readonly Seen[],
  seconds: number | undefined,
  made: Generations,
  { mayLose = false }: { readonly mayLose?: boolean } = {},
): Promise<readonly Tag[]> {
  const written = seen.map(({ id, generation }) => ({ id, at: timeAfter(generation, part.server) }));
  const answers = await part.ask((batch) => {
    const end = expiry(seconds, () => part.server.now());
    for (const [index, { key, name, cas }] of seen.entries()) {
      const generation = written[index];
      if (generation === undefined) continue;
      const { flags, pieces } = itemData(name, key, Buffer.from(generationText(generation)));
      batch.store(name, `T${end} F${flags} ${cas === "" ? "ME" : `C${cas}`}`, pieces);
    }
  });
  const again: Tag[] = [];
  const lost: Tag[] = [];
  for (const [index, answer] of answers.entries()) {
    const [tag, generation] = [seen[index], written[index]];
    if (tag === undefined || generation === undefined) continue;
    if (answer.code === "EX" || answer.code === "NF" || answer.code === "NS") {
      again.push(tag);
      continue;
    }
    if (answer.code !== "HD") {
      if (!mayLose || !isFull(refusal(answer))) throw refusal(answer);
      lost.push(tag);
    }
    made.set(tag.key, generation);
  }
  await lose(part, lost);
  return again;
}

/**
 * Removes generations, because a full server still removes. Without its generation each entry of a
 * tag is a miss.
 */
async function lose(part: ServerCall, tags: readonly Tag[]): Promise<void> {
  const answers = await part.ask((batch) => {
    for (const { name } of tags) batch.command(`md ${name}`);
  });
  for (const answer of answers) if (answer.code !== "HD" && answer.code !== "NF") throw refusal(answer);
}

/**
 * Sets a new end with `mg … T`, without the bytes. Items that are kept longer already are not in
 * the batch.
 *
 * @returns the tags whose item is gone
 */
async function prolong(
  part: ServerCall,
  brief: readonly Seen[],
  seconds: number | undefined,
): Promise<readonly Tag[]> {
  const answers = await part.ask((batch) => {
    const end = expiry(seconds, () => part.server.now());
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

/**
 * Returns the seconds that an item must still be kept for. A time of the server's own clock is
 * known to two seconds.
 */
function leastLeft(server: Server, seconds: number | undefined): number {
  const end = expiry(seconds, () => server.now());
  return end === seconds ? end : end - server.now() - 2;
}
