import { randomBytes } from "node:crypto";
import { checkKeys, type Generation, type Generations, generationFrom, generationText } from "cacheme/driver";
import { type Client, type Conversation, each } from "./client.js";
import type { Connection } from "./connection.js";
import { isFull, refusal } from "./exchange.js";
import { itemName } from "./item-name.js";
import { expiry, ttlSeconds } from "./lifetime.js";
import { itemData, itemOf } from "./record.js";

/**
 * Generations are ordinary records. Each is read first and then written on condition that nothing has changed since, so
 * that one of many makes it, and no later one has an earlier time; whoever comes second looks again.
 *
 * Their time is the server's, as each client has learnt it: within two seconds of it, and never before the one that was
 * there. The servers of a pool have a clock each, so a grant of a lease says nothing of its time beside them.
 */
export class MemcachedGenerations implements Generations {
  readonly #label: string;
  readonly #client: Client;

  constructor(label: string, client: Client) {
    this.#label = label;
    this.#client = client;
  }

  ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#each("a look at generations", keys, (conversation, connection, wanted, made) =>
      ensurePart(conversation, connection, wanted, secondsOf(ttl), made),
    );
  }

  bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#each("a bump of generations", keys, (conversation, connection, wanted, made) =>
      bumpPart(conversation, connection, wanted, secondsOf(ttl), made),
    );
  }

  async #each(
    action: string,
    keys: readonly string[],
    act: (
      conversation: Conversation,
      connection: Connection,
      wanted: readonly Tag[],
      made: Map<string, Generation>,
    ) => Promise<void>,
  ): Promise<readonly Generation[]> {
    if (keys.length === 0) return [];
    checkKeys(keys, this.#label);
    const tags = [...new Set(keys)].map((key) => ({ key, name: itemName(key) }));
    const made = new Map<string, Generation>();
    await this.#client.run(action, (conversation) =>
      each(this.#client.parts(tags.map(({ name }) => name)), ({ connection, places }) => {
        const wanted = places.flatMap((place) => tags[place] ?? []);
        return act(conversation, connection, wanted, made);
      }),
    );
    return keys.flatMap((key) => made.get(key) ?? []);
  }
}

/** A tag's key, and the name of its item. */
interface Tag {
  readonly key: string;
  readonly name: string;
}

interface Seen extends Tag {
  readonly generation: Generation | undefined;
  /** Of the item that is there, whatever it is; empty where there is none. */
  readonly cas: string;
  readonly left: number;
}

async function ensurePart(
  conversation: Conversation,
  connection: Connection,
  wanted: readonly Tag[],
  seconds: number | undefined,
  made: Map<string, Generation>,
): Promise<void> {
  let open = wanted;
  while (open.length > 0) {
    const seen = await look(conversation, connection, open);
    const missing = seen.filter(({ generation }) => generation === undefined);
    const brief = seen.filter(({ generation, left }) => generation && left < leastLeft(connection, seconds));
    for (const { key, generation } of seen) if (generation !== undefined) made.set(key, generation);
    const [again, lost] = await Promise.all([
      write(conversation, connection, missing, seconds, made),
      prolong(conversation, connection, brief, seconds),
    ]);
    open = [...again, ...lost];
  }
}

async function bumpPart(
  conversation: Conversation,
  connection: Connection,
  wanted: readonly Tag[],
  seconds: number | undefined,
  made: Map<string, Generation>,
): Promise<void> {
  let open = wanted;
  while (open.length > 0) {
    const seen = await look(conversation, connection, open);
    open = await write(conversation, connection, seen, seconds, made, { mayLose: true });
  }
}

async function look(
  conversation: Conversation,
  connection: Connection,
  tags: readonly Tag[],
): Promise<readonly Seen[]> {
  const names = tags.map(({ name }) => name);
  const answers = await conversation.get(connection, names, () => "v f t c");
  return answers.flatMap((answer, index) => {
    const tag = tags[index];
    if (tag === undefined) return [];
    if (answer.code === "EN") return [{ ...tag, generation: undefined, cas: "", left: 0 }];
    if (answer.code !== "VA") throw refusal(answer);
    const { bytes, cas, left } = itemOf(answer, tag.name, tag.key);
    return [{ ...tag, generation: generationFrom(bytes), cas, left }];
  });
}

/** @returns those that somebody else has written since they were seen */
async function write(
  conversation: Conversation,
  connection: Connection,
  seen: readonly Seen[],
  seconds: number | undefined,
  made: Map<string, Generation>,
  { mayLose = false }: { readonly mayLose?: boolean } = {},
): Promise<readonly Tag[]> {
  const written = seen.map(({ generation }) => next(generation, connection));
  const answers = await conversation.ask(connection, (batch) => {
    const end = expiry(seconds, () => connection.now());
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
    if (answer.code === "HD") made.set(tag.key, generation);
    else if (answer.code === "EX" || answer.code === "NF" || answer.code === "NS") again.push(tag);
    else if (mayLose && isFull(refusal(answer))) {
      made.set(tag.key, generation);
      lost.push(tag);
    } else throw refusal(answer);
  }
  await lose(conversation, connection, lost);
  return again;
}

/** A full server still removes: without its generation each entry of a tag is a miss, as after a bump. */
async function lose(conversation: Conversation, connection: Connection, tags: readonly Tag[]): Promise<void> {
  const answers = await conversation.ask(connection, (batch) => {
    for (const { name } of tags) batch.command(`md ${name}`);
  });
  for (const answer of answers) if (answer.code !== "HD" && answer.code !== "NF") throw refusal(answer);
}

/** `mg … T`: a new end, without the bytes. What is kept longer already is not asked for, so it is never shortened. */
async function prolong(
  conversation: Conversation,
  connection: Connection,
  brief: readonly Seen[],
  seconds: number | undefined,
): Promise<readonly Tag[]> {
  const answers = await conversation.ask(connection, (batch) => {
    const end = expiry(seconds, () => connection.now());
    for (const { name } of brief) batch.command(`mg ${name} T${end}`);
  });
  return answers.flatMap((answer, index) => {
    const tag = brief[index];
    if (answer.code === "HD" || tag === undefined) return [];
    if (answer.code !== "EN") throw refusal(answer);
    return [tag];
  });
}

function next(before: Generation | undefined, connection: Connection): Generation {
  const now = Math.floor(connection.now() * 1000);
  const at = before === undefined ? now : Math.max(now, before.at + 1);
  return { id: randomBytes(16).toString("base64url"), at };
}

function secondsOf(ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : ttlSeconds(ttl);
}

/** Seconds that an item must still be kept for. A time of the server's own clock is known to two seconds. */
function leastLeft(connection: Connection, seconds: number | undefined): number {
  const end = expiry(seconds, () => connection.now());
  return end === seconds ? end : end - connection.now() - 2;
}
