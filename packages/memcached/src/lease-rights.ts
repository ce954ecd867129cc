import type * as kit from "cacheme/driver";
import { elapsed, KeyFailures } from "cacheme/driver";
import type { Client, Method, Part } from "./client.js";
import { type Batch, storeRecord } from "./commands.js";
import { refuseProxy } from "./handshake.js";
import { isSlow, mark } from "./lease-marks.js";
import { type LeaseToken, tokenFrom } from "./lease-token.js";
import { type Item, itemOf, leaseFields, never } from "./record.js";
import type { Server } from "./server.js";
import { isChanged, refusal } from "./trouble.js";

/*
 * The calls of a holder. Each command has the CAS number of the lease's item as its condition. It is
 * the token's number, unless the lease was extended: then the item has the token's number in it, and
 * a look finds the item's own one.
 */

/** A lease whose token has the form of this storage's. */
interface Right<L extends kit.HeldLease = kit.HeldLease> {
  readonly lease: L;
  readonly place: number;
  readonly name: string;
  readonly token: LeaseToken;
  /** The CAS number that the item had last. */
  readonly cas: string;
  /** The item, once it was looked at. */
  readonly item: Item | undefined;
}

/** The command of a call for one lease. */
interface Act<L extends kit.HeldLease> {
  /** Adds the command on condition of the right's CAS number. Returns whether there is one. */
  send(batch: Batch, right: Right<L>, server: Server): boolean;
  /** Handles an error of the server. Default: it is the call's. */
  refused?(lease: L, error: Error): void;
  /** Whether the item must be known, because its end may move, and its times with it. */
  readonly needsItem?: boolean;
}

export const fill: Method<"fill"> = async (client, records, call) => {
  const failures = new KeyFailures(records.length);
  const stored = await whichHeld(client, records, call, {
    send: (batch, { lease, name, cas }, server) =>
      storeRecord(batch, server, name, lease, failures, ` C${cas}`),
    refused: ({ key }, error) => failures.add(key, error),
  });
  failures.throwIfAny();
  return stored;
};

export const release: Method<"release"> = (client, leases, call) =>
  whichHeld(client, leases, call, {
    send(batch, { name, token, cas }) {
      if (token.place === "alone") batch.command(`md ${name} C${cas}`);
      else batch.store(name, `MA C${cas}`, leaseFields(never));
      return true;
    },
  });

export const extend: Method<"extend"> = (client, leases, call) =>
  whichHeld(client, leases, call, {
    needsItem: true,
    send(batch, { name, lease, token, item }) {
      if (item !== undefined) mark(batch, { name, item, request: lease }, token.cas);
      return item !== undefined;
    },
  });

async function whichHeld<L extends kit.HeldLease>(
  client: Client,
  leases: readonly L[],
  call: kit.StorageCall,
  { send, refused, needsItem = false }: Act<L>,
): Promise<readonly boolean[]> {
  const held = new Array<boolean>(leases.length).fill(false);
  const keys = leases.map(({ key }) => key);
  await client.eachUp(keys, call, async (part) => {
    const { server } = part;
    let open = rightsOf(leases, part);
    let asked = elapsed();
    if (needsItem) open = await look(part, open);
    while (open.length > 0) {
      const sent: Right<L>[] = [];
      const answers = await server.ask(call, (batch) => {
        refuseProxy(server);
        for (const right of open) if (isOfRun(right, server) && send(batch, right, server)) sent.push(right);
      });
      const slow = isSlow(asked);
      const changed: Right<L>[] = [];
      const undone: string[] = [];
      for (const [index, answer] of answers.entries()) {
        const right = sent[index];
        if (right === undefined) continue;
        const { lease, place, name, item } = right;
        // As in `claim`: bytes that were written again may live too long, and go with the lease.
        const isVoid = needsItem && slow && item?.bytes !== undefined;
        if (answer.code === "EX") changed.push(right);
        else if (answer.code === "HD" && isVoid) undone.push(`md ${name} C${answer.cas}`);
        else if (answer.code === "HD") held[place] = true;
        else if (isChanged(answer)) continue;
        else if (refused === undefined) throw refusal(answer);
        else refused(lease, refusal(answer));
      }
      if (undone.length > 0) await server.send(call, undone);
      asked = elapsed();
      open = await look(part, changed);
    }
  });
  return held;
}

/** Reads the items of leases, and returns those that the tokens are still for. */
async function look<L extends kit.HeldLease>(
  { server, call }: Part,
  rights: readonly Right<L>[],
): Promise<readonly Right<L>[]> {
  if (rights.length === 0) return [];
  const names = rights.map(({ name }) => name);
  const answers = await server.get(call, names, () => {
    refuseProxy(server);
    return "v f t c";
  });
  return rights.flatMap((right, index) => {
    const answer = answers[index];
    if (answer === undefined || answer.code === "EN" || !isOfRun(right, server)) return [];
    if (answer.code !== "VA") throw refusal(answer);
    const item = itemOf(answer, right.name, right.lease.key);
    const isHeld = [item.cas, item.extended].includes(right.token.cas);
    return isHeld ? { ...right, item, cas: item.cas } : [];
  });
}

function rightsOf<L extends kit.HeldLease>(
  leases: readonly L[],
  { places, names }: Part,
): readonly Right<L>[] {
  const rights: Right<L>[] = [];
  for (const [index, place] of places.entries()) {
    const [lease, name = ""] = [leases[place], names[index]];
    const token = lease && tokenFrom(lease.token);
    if (lease === undefined || token === undefined) continue;
    rights.push({ lease, place, name, token, cas: token.cas, item: undefined });
  }
  return rights;
}

/** Whether this run of the server can have given the token. */
function isOfRun({ token }: Right, { facts }: Server): boolean {
  return token.run === facts.run;
}
