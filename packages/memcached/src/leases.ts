import type * as kit from "cacheme/driver";
import { elapsed } from "cacheme/driver";
import type { Method, Part } from "./client.js";
import { leaseSeconds } from "./exptime.js";
import { refuseProxy } from "./handshake.js";
import { isSlow, kindOf, mark } from "./lease-marks.js";
import { release } from "./lease-rights.js";
import { type LeaseToken, tokenText } from "./lease-token.js";
import { type Item, itemOf } from "./record.js";
import type { Server } from "./server.js";
import { isChanged, Refusal, refusal } from "./trouble.js";

/*
 * A lease is the CAS number that the server gives an item with each change. The token is that
 * number, and every change (a write, a removal, another lease) makes it invalid. An extension
 * changes the item too, so it writes the token's number into the item: see `lease-rights.ts`.
 *
 * A key without an item is leased by the server itself, in the one round trip of the look (`mg …
 * N`). Beside bytes a lease is marked in a second round trip, on condition that nothing has changed
 * since the first.
 */

/** The answer if a server of a pool is down: the caller loads, and no fill takes the token. */
const withoutRight: kit.LeaseAnswer = { outcome: "granted", token: "server-down", at: undefined };

/**
 * The looks at a key for a request that does not steal, if other clients were faster every time.
 */
const mostRounds = 5;

export const acquire: Method<"acquire"> = async (client, requests, call) => {
  const keys = requests.map(({ key }) => key);
  const otherwise: kit.LeaseAnswer = client.isPool ? withoutRight : { outcome: "held" };
  const answers = new Array<kit.LeaseAnswer>(requests.length).fill(otherwise);
  try {
    await client.eachUp(keys, call, (part) => {
      const wanted = part.places.flatMap((place, index) => {
        const request = requests[place];
        return request === undefined ? [] : { place, request, name: part.names[index] ?? "" };
      });
      return acquireFrom(part, wanted, answers);
    });
    endIfLate(call);
  } catch (error) {
    // The caller gets none of the leases that were granted, and they would hold everybody up until
    // they end.
    const held = answers.flatMap((answer, place) =>
      answer.outcome === "granted" ? { key: keys[place] ?? "", token: answer.token } : [],
    );
    if (held.length > 0) call.another("a release", (next) => release(client, held, next)).catch(() => {});
    throw error;
  }
  return answers;
};

interface Wanted {
  readonly place: number;
  readonly name: string;
  readonly request: kit.Acquisition;
}

interface Claim extends Wanted {
  readonly item: Item;
}

/** Looks at the keys, marks those that are free, and repeats it for those that have changed. */
async function acquireFrom(part: Part, wanted: readonly Wanted[], answers: kit.LeaseAnswer[]): Promise<void> {
  const { server, call } = part;
  let open = wanted;
  for (let round = 0; open.length > 0; round++) {
    const asked = elapsed();
    const looks = await look(part, open);
    const claims: Claim[] = [];
    for (const [index, { place, name, request }] of open.entries()) {
      const { item, won } = looks[index] ?? {};
      if (item === undefined) continue;
      const answer = won ? grant(server, "alone", item.cas) : without(item, request);
      if (answer === undefined) claims.push({ place, name, request, item });
      else answers[place] = answer;
    }
    endIfLate(call);
    open = await claim(part, claims, asked, answers);
    endIfLate(call);
    if (round + 1 < mostRounds) continue;
    for (const { place, request } of open) if (!request.steal) answers[place] = { outcome: "held" };
    open = open.filter(({ request }) => request.steal);
  }
}

/** Ends a call whose caller has its error: the granted leases must be given back. */
function endIfLate({ isLate }: kit.StorageCall): void {
  if (isLate) throw new Error("nobody waits any more");
}

interface Look {
  readonly item: Item;
  /** Whether there was no item and the server has made one, which the next look sees as leased. */
  readonly won: boolean;
}

async function look({ server, call }: Part, open: readonly Wanted[]): Promise<readonly Look[]> {
  const seconds = open.map(({ request }) => leaseSeconds(request.duration));
  const names = open.map(({ name }) => name);
  const answers = await server.get(call, names, (index) => {
    refuseProxy(server);
    return `v f t c N${seconds[index]}`;
  });
  return answers.map((answer, index) => {
    // A server that may not evict makes no item when it is full, and answers a miss.
    if (answer.code === "EN") throw new Refusal("out of memory storing a lease");
    if (answer.code !== "VA") throw refusal(answer);
    const { name = "", request } = open[index] ?? {};
    // An item that another program has marked as stale (`md … I`) has this flag too, and has its
    // bytes.
    const item = itemOf(answer, name, request?.key ?? "");
    return { item, won: answer.won && answer.bytes?.length === 0 };
  });
}

/**
 * Returns the answer if there is nothing to mark: another client has the lease, or nobody needs it.
 */
function without(item: Item, { steal, seen }: kit.Acquisition): kit.LeaseAnswer | undefined {
  if (steal) return undefined;
  const { bytes } = item;
  const isUsable = item.isFresh && bytes !== undefined && !(seen && Buffer.from(bytes).equals(seen));
  if (isUsable) return { outcome: "fresh", bytes };
  return item.isLeased ? { outcome: "held" } : undefined;
}

/** @returns the claims on keys that another client has changed since the look */
async function claim(
  { server, call }: Part,
  claims: readonly Claim[],
  asked: number,
  answers: kit.LeaseAnswer[],
): Promise<readonly Wanted[]> {
  const marks = await server.ask(call, (batch) => {
    for (const one of claims) mark(batch, one);
  });
  const slow = isSlow(asked);
  const again: Wanted[] = [];
  const undone: string[] = [];
  for (const [index, answer] of marks.entries()) {
    const { code, cas } = answer;
    const one = claims[index];
    if (one === undefined) continue;
    const kind = kindOf(one);
    const isWritten = code === "HD";
    // After a slow round trip, bytes that were written again may live too long. And if a mark
    // cannot be put behind the bytes, there may be no room for it (`NS`, as for an item that is
    // gone). The lease is worth more than stale bytes: they are removed, if they have not changed,
    // and the next round leases the rest.
    const isVoid = isWritten ? slow && kind === "anew" : code === "NS" || !isChanged(answer);
    if (isVoid) undone.push(`md ${one.name} C${isWritten ? cas : one.item.cas}`);
    if (!isWritten || isVoid) again.push(one);
    else answers[one.place] = grant(server, kind === "alone" ? "alone" : "beside", cas);
  }
  if (undone.length > 0 && !call.isLate) await server.send(call, undone);
  return again;
}

function grant({ facts }: Server, place: LeaseToken["place"], cas: string): kit.LeaseAnswer {
  // Tags may be on another server with another clock, so the grant has no time.
  return { outcome: "granted", token: tokenText({ cas, place, run: facts.run }), at: undefined };
}
