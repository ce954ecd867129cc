import {
  type Acquisition,
  elapsed,
  type HeldLease,
  KeyFailures,
  type LeaseAnswer,
  type LeasedRecord,
  type StorageCall,
} from "cacheme/driver";
import type { Client } from "./client.js";
import { type Batch, storeRecord } from "./commands.js";
import { leaseSeconds } from "./exptime.js";
import { itemName } from "./item-name.js";
import { type LeaseToken, tokenFrom, tokenText } from "./lease-token.js";
import { refuseProxy } from "./proxy.js";
import { type Item, itemData, itemOf, leaseField, noLeaseField } from "./record.js";
import type { Server } from "./server.js";
import type { ServerCall } from "./server-call.js";
import { isErrorAnswer, Refusal, refusal } from "./trouble.js";

/*
 * A lease is the CAS number that the server gives an item with each change. The token is that
 * number, and every change (a write, a removal, another lease) makes it invalid.
 *
 * A key without an item is leased by the server itself, in the one round trip of the look (`mg …
 * N`). Beside bytes a lease is marked in a second round trip, on condition that nothing has changed
 * since the first.
 */

/**
 * The answer for a key whose server in a pool is down: the caller loads as without a cache, and no
 * fill takes the token.
 */
const withoutRight: LeaseAnswer = { outcome: "granted", token: "server-down", at: undefined };

/**
 * The looks at a key for a request that does not steal, if other clients were faster every time.
 */
const mostRounds = 5;

/**
 * Milliseconds in which the server's clock ticks once at most, so that the time that is left is off
 * by one second at most.
 */
const oneTick = 1000;

export async function acquire(
  client: Client,
  requests: readonly Acquisition[],
  call: StorageCall,
): Promise<readonly LeaseAnswer[]> {
  const names = requests.map(({ key }) => itemName(key));
  const otherwise: LeaseAnswer = client.isPool ? withoutRight : { outcome: "held" };
  const answers = new Array<LeaseAnswer>(requests.length).fill(otherwise);
  try {
    await client.eachUp(names, call, (part) => {
      const wanted = part.places.flatMap((place) => {
        const request = requests[place];
        return request === undefined ? [] : [{ place, request, name: names[place] ?? "" }];
      });
      return acquirePart(part, wanted, answers);
    });
    endIfLate(call);
  } catch (error) {
    // The caller gets none of the leases that were granted, and they would hold everybody up until
    // they end.
    const held = answers.flatMap((answer, place) =>
      answer.outcome === "granted" ? [{ key: requests[place]?.key ?? "", token: answer.token }] : [],
    );
    if (held.length > 0) call.another("a release", (next) => release(client, held, next)).catch(() => {});
    throw error;
  }
  return answers;
}

export async function fill(
  client: Client,
  records: readonly LeasedRecord[],
  call: StorageCall,
): Promise<readonly boolean[]> {
  const names = records.map(({ key }) => itemName(key));
  const stored = new Array<boolean>(records.length).fill(false);
  const failures = new KeyFailures(records.length);
  await client.eachUp(names, call, async (part) => {
    const { server } = part;
    const sent: number[] = [];
    const answers = await part.ask((batch) => {
      refuseProxy(server);
      for (const place of part.places) {
        const record = records[place];
        const token = record && tokenOf(record, server);
        if (record === undefined || token === undefined) continue;
        if (storeRecord(batch, server, names[place] ?? "", record, failures, ` C${token.cas}`))
          sent.push(place);
      }
    });
    for (const [index, answer] of answers.entries()) {
      const place = sent[index] ?? 0;
      if (answer.code === "HD") stored[place] = true;
      else if (!isChanged(answer.code)) failures.add(records[place]?.key ?? "", refusal(answer));
    }
  });
  failures.throwIfAny();
  return stored;
}

export async function release(
  client: Client,
  leases: readonly HeldLease[],
  call: StorageCall,
): Promise<void> {
  const names = leases.map(({ key }) => itemName(key));
  await client.eachUp(names, call, async (part) => {
    const answers = await part.ask((batch) => {
      refuseProxy(part.server);
      for (const place of part.places) {
        const lease = leases[place];
        const token = lease && tokenOf(lease, part.server);
        if (token !== undefined) giveBack(batch, names[place] ?? "", token);
      }
    });
    for (const answer of answers) if (isErrorAnswer(answer)) throw refusal(answer);
  });
}

interface Wanted {
  readonly place: number;
  readonly name: string;
  readonly request: Acquisition;
}

interface Look extends Item {
  /** Whether there was no item and the server has made one, which the next look sees as leased. */
  readonly won: boolean;
}

interface Claim extends Wanted {
  readonly item: Look;
}

/**
 * Looks at the keys, marks those that are free, and looks again at those that another client has
 * changed meanwhile.
 */
async function acquirePart(
  part: ServerCall,
  wanted: readonly Wanted[],
  answers: LeaseAnswer[],
): Promise<void> {
  let open = wanted;
  for (let round = 0; open.length > 0; round++) {
    const asked = elapsed();
    const looks = await look(part, open);
    const claims: Claim[] = [];
    for (const [index, one] of open.entries()) {
      const item = looks[index];
      if (item === undefined) continue;
      const answer = item.won ? grant(part.server, "alone", item.cas) : without(item, one.request);
      if (answer === undefined) claims.push({ ...one, item });
      else answers[one.place] = answer;
    }
    endIfLate(part);
    open = await claim(part, claims, asked, answers);
    endIfLate(part);
    if (round + 1 < mostRounds) continue;
    for (const { place, request } of open) if (!request.steal) answers[place] = { outcome: "held" };
    open = open.filter(({ request }) => request.steal);
  }
}

/**
 * After the deadline nothing that is asked for is answered, and what was granted by then must be
 * given back.
 */
function endIfLate({ isLate }: { readonly isLate: boolean }): void {
  if (isLate) throw new Error("nobody waits any more");
}

async function look(part: ServerCall, open: readonly Wanted[]): Promise<readonly Look[]> {
  const seconds = open.map(({ request }) => leaseSeconds(request.duration));
  const names = open.map(({ name }) => name);
  const answers = await part.get(names, (index) => {
    refuseProxy(part.server);
    return `v f t c N${seconds[index]}`;
  });
  return answers.map((answer, index) => {
    // A server that may not evict makes no item when it is full, and answers a miss.
    if (answer.code === "EN") throw new Refusal("out of memory storing a lease");
    if (answer.code !== "VA") throw refusal(answer);
    const { name = "", request } = open[index] ?? {};
    // An item that another program has marked as stale (`md … I`) has this flag too, and has its
    // bytes.
    return { ...itemOf(answer, name, request?.key ?? ""), won: answer.won && answer.bytes?.length === 0 };
  });
}

/**
 * Returns the answer if there is nothing to mark: another client has the lease, or nobody needs it.
 */
function without(item: Item, { steal }: Acquisition): LeaseAnswer | undefined {
  if (steal) return undefined;
  if (item.isFresh && item.bytes !== undefined) return { outcome: "fresh", bytes: item.bytes };
  return item.isLeased ? { outcome: "held" } : undefined;
}

/** @returns the claims on keys that another client has changed since the look */
async function claim(
  part: ServerCall,
  claims: readonly Claim[],
  asked: number,
  answers: LeaseAnswer[],
): Promise<readonly Wanted[]> {
  const marks = await part.ask((batch) => {
    for (const one of claims) mark(batch, one);
  });
  const isSlow = elapsed() - asked > oneTick;
  const again: Wanted[] = [];
  const undone: string[] = [];
  for (const [index, { code, cas }] of marks.entries()) {
    const one = claims[index];
    if (one === undefined) continue;
    const kind = kindOf(one);
    const isWritten = code === "HD";
    // After a slow round trip, bytes that were written again may live too long. And if a mark
    // cannot be put behind the bytes, there may be no room for it (`NS`, as for an item that is
    // gone). The lease is worth more than stale bytes: they are removed, if they have not changed,
    // and the next round leases the rest.
    const isVoid = isWritten ? isSlow && kind === "anew" : code === "NS" || !isChanged(code);
    if (isVoid) undone.push(`md ${one.name} C${isWritten ? cas : one.item.cas}`);
    if (!isWritten || isVoid) again.push(one);
    else answers[one.place] = grant(part.server, kind === "alone" ? "alone" : "beside", cas);
  }
  if (undone.length > 0 && !part.isLate) {
    await part.ask((batch) => {
      for (const command of undone) batch.command(command);
    });
  }
  return again;
}

/**
 * Returns how a lease is written: without bytes, as a mark behind the bytes, or with the bytes in
 * an item that lives longer.
 */
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
    // The item's end moves, and the times that are counted from it move with it. One second more
    // for a tick between.
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

function grant({ facts }: Server, place: LeaseToken["place"], cas: string): LeaseAnswer {
  // Tags may be on another server with another clock, so the grant has no time.
  return { outcome: "granted", token: tokenText({ cas, place, run: facts.run }), at: undefined };
}

/** Returns the token if this run of the server can have given it. */
function tokenOf({ token }: HeldLease, { facts }: Server): LeaseToken | undefined {
  const read = tokenFrom(token);
  return read?.run === facts.run ? read : undefined;
}

/** Whether the item has changed, or is gone. */
function isChanged(code: string): boolean {
  return code === "EX" || code === "NF" || code === "NS";
}
