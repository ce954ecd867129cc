import {
  checkKeysOf,
  elapsed,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseRequest,
  type Leases,
} from "cacheme/driver";
import type { Client, Conversation } from "./client.js";
import type { Connection } from "./connection.js";
import { isError, Refusal, refusal } from "./exchange.js";
import { Failures } from "./failures.js";
import { itemName } from "./item-name.js";
import { type LeaseToken, tokenFrom, tokenText } from "./lease-token.js";
import { leaseSeconds } from "./lifetime.js";
import type { Batch } from "./protocol.js";
import { refuseProxy } from "./proxy.js";
import { type Item, itemData, itemOf, leaseField, noLeaseField } from "./record.js";
import { storeRecord } from "./store.js";

/**
 * The answer for a key of a pool whose server is down: who has it may load, as without a cache, and no fill takes it.
 */
const withoutRight: LeaseAnswer = { outcome: "granted", token: "server-down", at: undefined };

/** How often a key is looked at for somebody who does not steal: others were faster every time. */
const mostRounds = 5;

/** Within this time the server's clock ticks once at most: what was said of the time that is left is off by no more. */
const oneTick = 1000;

/**
 * Leases stand on the CAS number that the server gives an item with each change: the token is that number, and whatever
 * comes between (a write, a removal, another lease) takes it out of force.
 *
 * A key without an item is leased by the server itself, in the one round trip of the look (`mg … N`). Beside bytes that
 * are there a lease is marked in a second one, on condition that nothing has changed since the first.
 */
export class MemcachedLeases implements Leases {
  readonly #label: string;
  readonly #client: Client;

  constructor(label: string, client: Client) {
    this.#label = label;
    this.#client = client;
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    if (requests.length === 0) return [];
    checkKeysOf(requests, this.#label);
    const names = requests.map(({ key }) => itemName(key));
    const isPool = this.#client.connections.length > 1;
    const answers = new Array<LeaseAnswer>(requests.length).fill(isPool ? withoutRight : { outcome: "held" });
    await this.#client.run("an acquisition of leases", async (conversation) => {
      try {
        await this.#client.eachUp(this.#client.parts(names), ({ connection, places }) => {
          const wanted = places.flatMap((place) => {
            const request = requests[place];
            return request === undefined ? [] : [{ place, request, name: names[place] ?? "" }];
          });
          return acquirePart(conversation, connection, wanted, answers);
        });
        endIfLate(conversation);
      } catch (error) {
        // The caller learns of none of them: they would stand in everybody's way until they end.
        void this.#giveBack(requests, answers);
        throw error;
      }
    });
    return answers;
  }

  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    if (records.length === 0) return [];
    checkKeysOf(records, this.#label);
    const names = records.map(({ key }) => itemName(key));
    const stored = new Array<boolean>(records.length).fill(false);
    const keys = records.map(({ key }) => key);
    const failures = new Failures(this.#label, keys, "stored");
    await this.#client.run("a fill", (conversation) =>
      this.#client.eachUp(this.#client.parts(names), async ({ connection, places }) => {
        const sent: number[] = [];
        const answers = await conversation.ask(connection, (batch) => {
          refuseProxy(connection);
          for (const place of places) {
            const record = records[place];
            const token = record && tokenOf(record, connection);
            if (record === undefined || token === undefined) continue;
            const condition = ` C${token.cas}`;
            const now = (): number => connection.now();
            const name = names[place] ?? "";
            if (storeRecord(batch, connection.facts, name, record, now, failures, condition))
              sent.push(place);
          }
        });
        for (const [index, answer] of answers.entries()) {
          const place = sent[index] ?? 0;
          if (answer.code === "HD") stored[place] = true;
          else if (!isRefused(answer.code)) failures.add(records[place]?.key ?? "", refusal(answer));
        }
      }),
    );
    failures.throwIfAny();
    return stored;
  }

  async release(leases: readonly HeldLease[]): Promise<void> {
    if (leases.length === 0) return;
    checkKeysOf(leases, this.#label);
    const names = leases.map(({ key }) => itemName(key));
    await this.#client.run("a release of leases", (conversation) =>
      this.#client.eachUp(this.#client.parts(names), async ({ connection, places }) => {
        const answers = await conversation.ask(connection, (batch) => {
          refuseProxy(connection);
          for (const place of places) {
            const lease = leases[place];
            const token = lease && tokenOf(lease, connection);
            if (token !== undefined) giveBack(batch, names[place] ?? "", token);
          }
        });
        for (const answer of answers) if (isError(answer)) throw refusal(answer);
      }),
    );
  }

  async #giveBack(requests: readonly LeaseRequest[], answers: readonly LeaseAnswer[]): Promise<void> {
    const held = answers.flatMap((answer, place) =>
      answer.outcome === "granted" ? [{ key: requests[place]?.key ?? "", token: answer.token }] : [],
    );
    // What cannot be given back ends by itself.
    await this.release(held).catch(() => {});
  }
}

interface Wanted {
  readonly place: number;
  readonly name: string;
  readonly request: LeaseRequest;
}

/** Looks at the keys, marks those that can be had, and looks again at those where somebody came between. */
async function acquirePart(
  conversation: Conversation,
  connection: Connection,
  wanted: readonly Wanted[],
  answers: LeaseAnswer[],
): Promise<void> {
  let open = wanted;
  for (let round = 0; open.length > 0; round++) {
    const asked = elapsed();
    const looks = await look(conversation, connection, open);
    const claims: Claim[] = [];
    for (const [index, one] of open.entries()) {
      const item = looks[index];
      if (item === undefined) continue;
      const answer = item.won ? grant(connection, "alone", item.cas) : without(item, one.request);
      if (answer === undefined) claims.push({ ...one, item });
      else answers[one.place] = answer;
    }
    endIfLate(conversation);
    open = await claim(conversation, connection, claims, asked, answers);
    endIfLate(conversation);
    if (round + 1 < mostRounds) continue;
    for (const { place, request } of open) if (request.steal !== true) answers[place] = { outcome: "held" };
    open = open.filter(({ request }) => request.steal === true);
  }
}

/** What is granted by then is to be given back: what is asked for after the deadline is never answered. */
function endIfLate(conversation: Conversation): void {
  if (conversation.isLate) throw new Error("nobody waits any more");
}

interface Look extends Item {
  /** The item was not there: the server has made one, and whoever comes next sees that it is leased. */
  readonly won: boolean;
}

interface Claim extends Wanted {
  readonly item: Look;
}

async function look(
  conversation: Conversation,
  connection: Connection,
  open: readonly Wanted[],
): Promise<readonly Look[]> {
  const seconds = open.map(({ request }) => leaseSeconds(request.duration));
  const names = open.map(({ name }) => name);
  const answers = await conversation.get(connection, names, (index) => {
    refuseProxy(connection);
    return `v f t c N${seconds[index]}`;
  });
  return answers.map((answer, index) => {
    // A server that may not evict makes no item when it is full, and says that there is none.
    if (answer.code === "EN") throw new Refusal("out of memory storing a lease");
    if (answer.code !== "VA") throw refusal(answer);
    const { name = "", request } = open[index] ?? {};
    // An item that another program has marked as stale says so as well (`md … I`), and has its bytes.
    return { ...itemOf(answer, name, request?.key ?? ""), won: answer.won && answer.bytes?.length === 0 };
  });
}

/** The answer where there is nothing to mark: somebody has the lease, or nobody needs it. */
function without(item: Item, { steal }: LeaseRequest): LeaseAnswer | undefined {
  if (steal === true) return undefined;
  if (item.isFresh && item.bytes !== undefined) return { outcome: "fresh", bytes: item.bytes };
  return item.isLeased ? { outcome: "held" } : undefined;
}

/** @returns those that somebody else has changed since the look */
async function claim(
  conversation: Conversation,
  connection: Connection,
  claims: readonly Claim[],
  asked: number,
  answers: LeaseAnswer[],
): Promise<readonly Wanted[]> {
  const marks = await conversation.ask(connection, (batch) => {
    for (const one of claims) mark(batch, one);
  });
  const isSlow = elapsed() - asked > oneTick;
  const again: Wanted[] = [];
  const undone: string[] = [];
  for (const [index, { code, cas }] of marks.entries()) {
    const one = claims[index];
    if (one === undefined) continue;
    const isWritten = code === "HD";
    // Bytes that were written anew may live longer than they should after a slow round trip. And where a mark cannot be
    // put behind them there may be no room for it (`NS`, as for an item that is gone). The lease is worth more than
    // stale bytes: they go, if they are still the same, and the next round leases the rest.
    const isVoid = isWritten ? isSlow && kindOf(one) === "anew" : code === "NS" || !isRefused(code);
    if (isVoid) undone.push(`md ${one.name} C${isWritten ? cas : one.item.cas}`);
    if (!isWritten || isVoid) again.push(one);
    else answers[one.place] = grant(connection, kindOf(one) === "alone" ? "alone" : "beside", cas);
  }
  if (undone.length > 0 && !conversation.isLate) {
    await conversation.ask(connection, (batch) => {
      for (const command of undone) batch.command(command);
    });
  }
  return again;
}

/** How a lease is written: with no bytes beside it, as a mark behind the bytes, or with the bytes in an item that lives longer. */
function kindOf({ item, request }: Claim): "alone" | "anew" | "behind" {
  if (item.bytes === undefined) return "alone";
  return item.left >= leaseSeconds(request.duration) ? "behind" : "anew";
}

function mark(batch: Batch, one: Claim): void {
  const { item, name, request } = one;
  const { bytes, cas, left } = item;
  const seconds = leaseSeconds(request.duration);
  const kind = kindOf(one);
  if (bytes === undefined || kind === "alone") {
    batch.store(name, `T${seconds} F0 C${cas} c`, []);
  } else if (kind === "behind") {
    batch.store(name, `MA C${cas} c`, [leaseField(left - seconds)]);
  } else {
    // The item's end moves; the times that are told from there move with it. One second for a tick between.
    const later = seconds - left + 1;
    const { flags, pieces } = itemData(name, request.key, bytes, {
      staleAt: item.staleAt + later,
      goneAt: item.goneAt + later,
      leaseEnd: 0,
    });
    batch.store(name, `T${seconds} F${flags} C${cas} c`, pieces);
  }
}

function giveBack(batch: Batch, name: string, { cas, place }: LeaseToken): void {
  if (place === "alone") batch.command(`md ${name} C${cas}`);
  else batch.store(name, `MA C${cas}`, [noLeaseField()]);
}

function grant(connection: Connection, place: LeaseToken["place"], cas: string): LeaseAnswer {
  const token = tokenText({ cas, place, run: connection.facts.run });
  // Tags may be on another server, whose clock is another: nothing is said of their order.
  return { outcome: "granted", token, at: undefined };
}

/** The token, if this run of the server can have given it. */
function tokenOf({ token }: HeldLease, connection: Connection): LeaseToken | undefined {
  const read = tokenFrom(token);
  return read?.run === connection.facts.run ? read : undefined;
}

/** The item has changed, or is there no more. */
function isRefused(code: string): boolean {
  return code === "EX" || code === "NF" || code === "NS";
}
