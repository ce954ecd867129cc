import { randomBytes } from "node:crypto";
import { checkKeys, type Generation, type Generations, generationFrom, shownKey } from "cacheme/driver";
import { padded } from "./batch.js";
import type { Commands } from "./commands.js";
import { idSize, lifetime } from "./record.js";
import { type Rows, rowsLeft } from "./rows.js";
import type { Session } from "./session.js";
import { inOrder, type Ordered, textOf } from "./stored-id.js";
import { isFull } from "./trouble.js";

/** 16 bytes are 22 characters in base64url: `generationIdLength` of the statements. */
const idBytes = 16;

type Statement = (commands: Commands, rows: number) => string;

/** Generations are ordinary records whose bytes the server writes, with its own time in them. */
export class MysqlGenerations implements Generations {
  readonly #rows: Rows;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  ensure(keys: readonly string[], ttl: number | undefined): Promise<Generation[]> {
    return this.#each("an ensure of generations", keys, ttl, (commands, rows) => commands.ensure(rows));
  }

  bump(keys: readonly string[], ttl: number | undefined): Promise<Generation[]> {
    return this.#each("a bump of generations", keys, ttl, (commands, rows) => commands.bump(rows), {
      mayLose: true,
    });
  }

  async #each(
    action: string,
    keys: readonly string[],
    ttl: number | undefined,
    statement: Statement,
    { mayLose = false }: { readonly mayLose?: boolean } = {},
  ): Promise<Generation[]> {
    checkKeys(keys, this.#rows.label);
    if (keys.length === 0) return [];
    return this.#rows.run(action, async (session) => {
      const found = new Map<string, Generation>();
      for (const part of this.#rows.split(
        inOrder(keys, (key) => key),
        idSize,
      )) {
        const put = this.#put(session, part, ttl, statement);
        const left = await (mayLose ? put.catch((error) => this.#lose(session, part, error)) : put);
        for (const [key, generation] of left) found.set(key, generation);
      }
      return keys.map((key) => found.get(key) ?? missing(key));
    });
  }

  /** A full server still removes: without its generation each entry of a tag is a miss, as after a bump. */
  async #lose(
    session: Session,
    part: readonly Ordered<string>[],
    error: unknown,
  ): Promise<ReadonlyMap<string, Generation>> {
    if (!isFull(error)) throw error;
    const { commands } = this.#rows;
    const rows = padded(part, idSize);
    const ids = rows.map(({ id }) => id);
    await session.change(commands.remove(rows.length), ids);
    const [[at] = []] = await session.rows(commands.time);
    return new Map(part.map(({ item }) => [item, { id: newId(), at: Number(at) }]));
  }

  async #put(
    session: Session,
    part: readonly Ordered<string>[],
    ttl: number | undefined,
    statement: Statement,
  ): Promise<ReadonlyMap<string, Generation>> {
    const { commands } = this.#rows;
    // Before they are padded: a row that is there twice has one id.
    const made = part.map((row) => ({ ...row, newId: newId() }));
    const rows = padded(made, idSize);
    const left = await rowsLeft(this.#rows, session, {
      sql: statement(commands, rows.length),
      parameters: rows.flatMap(({ id, longKey, newId }) => [id, longKey, newId, lifetime(ttl)]),
      columns: commands.generationColumns,
      ofColumns: [],
      ids: rows.map(({ id }) => id),
    });
    const keys = new Map(part.map(({ text, item }) => [text, item]));
    const generations = new Map<string, Generation>();
    for (const [id, bytes] of left) {
      const key = Buffer.isBuffer(id) ? keys.get(textOf(id)) : undefined;
      const generation = Buffer.isBuffer(bytes) ? generationFrom(bytes) : undefined;
      if (key !== undefined && generation !== undefined) generations.set(key, generation);
    }
    return generations;
  }
}

function newId(): string {
  return randomBytes(idBytes).toString("base64url");
}

/** It was removed between the two statements of a server that needs two, or somebody's record stands there. */
function missing(key: string): never {
  throw new Error(
    `there is no generation under ${shownKey(key)}: it was removed meanwhile, or it is no tag's key`,
  );
}
