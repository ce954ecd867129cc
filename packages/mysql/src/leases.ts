import { randomBytes } from "node:crypto";
import {
  checkKeysOf,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseRequest,
  type Leases,
} from "cacheme/driver";
import { padded } from "./batch.js";
import { bytesOf, idSize, kept, lifetime, sizeOf, times } from "./record.js";
import { type Rows, rowsLeft } from "./rows.js";
import type { Parameter, Session } from "./session.js";
import { inOrder, type Ordered, textOf } from "./stored-id.js";

const tokenLength = 16;

/** Text of a token: what anything else says was never granted. */
const tokenText = /^[0-9a-f]{32}$/;

interface Asked {
  readonly request: LeaseRequest;
  readonly token: Buffer;
}

/**
 * Leases stand in the row of their key. The token is the only thing that counts: whoever finds its own there has the lease, and
 * a number of changed rows is only taken for what it can mean in one way.
 */
export class MysqlLeases implements Leases {
  readonly #rows: Rows;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> {
    this.#check(requests);
    if (requests.length === 0) return [];
    const random = randomBytes(tokenLength * requests.length);
    const asked = requests.map((request, index) => ({
      request,
      token: random.subarray(index * tokenLength, (index + 1) * tokenLength),
    }));
    return this.#rows.run("a lease", async (session) => {
      const answers = new Map<string, LeaseAnswer>();
      for (const part of this.#rows.split(
        inOrder(asked, ({ request }) => request.key),
        idSize,
      )) {
        for (const [key, answer] of await this.#acquire(session, padded(part, idSize)))
          answers.set(key, answer);
      }
      return asked.map(
        (one) => answers.get(one.request.key) ?? answerOf(one, undefined, undefined, undefined),
      );
    });
  }

  async fill(records: readonly LeasedRecord[]): Promise<boolean[]> {
    this.#check(records);
    const real = records.filter(({ token }) => tokenText.test(token));
    if (real.length === 0) return records.map(() => false);
    return this.#rows.run("a fill", async (session) => {
      const { rows, error } = this.#rows.fitting(inOrder(real, ({ key }) => key));
      const stored = new Set<string>();
      for (const part of this.#rows.split(rows, sizeOf)) {
        for (const key of await this.#fill(session, part)) stored.add(key);
      }
      if (error !== undefined) throw error;
      return records.map(({ key, token }) => tokenText.test(token) && stored.has(key));
    });
  }

  async release(leases: readonly HeldLease[]): Promise<void> {
    this.#check(leases);
    const real = leases.filter(({ token }) => tokenText.test(token));
    if (real.length === 0) return;
    await this.#rows.run("a release", async (session) => {
      const ordered = inOrder(real, ({ key }) => key);
      for (const part of this.#rows.split(ordered, (row) => 2 * idSize(row))) {
        const rows = padded(part, idSize);
        const pairs = rows.flatMap(({ id, item }) => [id, Buffer.from(item.token, "hex")]);
        await session.change(this.#rows.commands.release(rows.length), [
          ...rows.map(({ id }) => id),
          ...pairs,
        ]);
      }
    });
  }

  async #acquire(session: Session, rows: readonly Ordered<Asked>[]): Promise<Map<string, LeaseAnswer>> {
    const { commands } = this.#rows;
    const asked = new Map(rows.map((row) => [row.text, row.item]));
    const left = await rowsLeft(this.#rows, session, {
      sql: commands.acquire(rows.length),
      parameters: rows.flatMap(parametersOf),
      columns: commands.leaseColumns(rows.length),
      ofColumns: rows.map(({ item }) => item.token),
      ids: rows.map(({ id }) => id),
    });
    const answers = new Map<string, LeaseAnswer>();
    for (const [id, token, at, bytes] of left) {
      const item = Buffer.isBuffer(id) ? asked.get(textOf(id)) : undefined;
      if (item !== undefined) answers.set(item.request.key, answerOf(item, token, at, bytes));
    }
    return answers;
  }

  /** The keys that were stored. */
  async #fill(session: Session, rows: readonly Ordered<LeasedRecord>[]): Promise<readonly string[]> {
    const mark = randomBytes(tokenLength);
    const changed = await session.change(...this.#filling(rows, mark));
    const all = rows.map(({ item }) => item.key);
    if (changed === 0 || changed >= rows.length) return changed === 0 ? [] : all;
    // Some were refused. Those that were not bear the mark, which ends nobody's lease, until somebody takes the next one.
    const ids = padded(rows, idSize).map(({ id }) => id);
    const found = await session.rows(this.#rows.commands.filled(ids.length), [...ids, mark]);
    const marked = new Set(found.map(([id]) => (Buffer.isBuffer(id) ? textOf(id) : "")));
    return rows.flatMap(({ text, item }) => (marked.has(text) ? [item.key] : []));
  }

  #filling(rows: readonly Ordered<LeasedRecord>[], mark: Buffer): [sql: string, parameters: Parameter[]] {
    const { commands } = this.#rows;
    const [only] = rows;
    if (rows.length === 1 && only !== undefined) {
      const { id, item } = only;
      return [commands.fillOne(), [bytesOf(item), ...times(item), mark, id, Buffer.from(item.token, "hex")]];
    }
    const filled = padded(rows, sizeOf);
    const parameters = filled.flatMap(({ id, item }): Parameter[] => [
      ...[id, Buffer.from(item.token, "hex"), bytesOf(item)],
      ...times(item),
    ]);
    return [commands.fill(filled.length), [...parameters, mark]];
  }

  #check(items: readonly { readonly key: string }[]): void {
    checkKeysOf(items, this.#rows.label);
  }
}

function parametersOf({ id, longKey, item: { request, token } }: Ordered<Asked>): Parameter[] {
  return [id, longKey, token, lifetime(request.duration), request.steal === true ? 1 : 0];
}

/**
 * Where the row is read by a second statement, it may have another token by then, or be gone: somebody stole the lease that
 * was ours for a moment, or removed it. Whoever stole had it in any case, and then is told the later time, which is not after
 * its load; for the others it is somebody else's.
 */
function answerOf({ request, token: ours }: Asked, token: unknown, at: unknown, bytes: unknown): LeaseAnswer {
  if (request.steal === true || (Buffer.isBuffer(token) && token.equals(ours))) {
    return { outcome: "granted", token: ours.toString("hex"), at: at === undefined ? undefined : Number(at) };
  }
  return Buffer.isBuffer(bytes) ? { outcome: "fresh", bytes: kept(bytes) } : { outcome: "held" };
}
