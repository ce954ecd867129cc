import type * as kit from "cacheme/driver";
import { elapsed, KeyFailures } from "cacheme/driver";
import type { Client } from "./client.js";
import { type Batch, storeRecord } from "./commands.js";
import { itemName } from "./item-name.js";
import { isSlow, mark } from "./lease-marks.js";
import { type LeaseToken, tokenFrom } from "./lease-token.js";
import { type Item, itemOf, leaseFields, never } from "./record.js";
import type { Server } from "./server.js";
import type { ServerCall } from "./server-call.js";
import { refuseProxy } from "./server-facts.js";
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
}

export async function fill(
  client: Client,
  records: readonly kit.LeasedRecord[],
  call: kit.StorageCall,
): Promise<readonly boolean[]> {
  const failures = new KeyFailures(records.length);
  const stored = await whichHeld(client, records, call, {
    send: (batch, { lease, name, cas }, server) =>
      storeRecord(batch, server, name, lease, failures, ` C${cas}`),
    refused: ({ key }, error) => failures.add(key, error),
  });
  failures.throwIfAny();
  return stored;
}

export function release(
  client: Client,
  leases: readonly kit.HeldLease[],
  call: kit.StorageCall,
): Promise<readonly boolean[]> {
  return whichHeld(client, leases, call, {
    send(batch, { name, token, cas }) {
      if (token.place === "alone") batch.command(`md ${name} C${cas}`);
      else batch.store(name, `MA C${cas}`, leaseFields(never));
      return true;
    },
    refused(_, error) {
      throw error;
    },
  });
}

/** Two round trips: the item must be known, because its end may move, and its times with it. */
export async function extend(
  client: Client,
  leases: readonly kit.LeaseExtension[],
  call: kit.StorageCall,
): Promise<readonly boolean[]> {
  const extended = new Array<boolean>(leases.length).fill(false);
  const names = leases.map(({ key }) => itemName(key));
  await client.eachUp(names, call, async (part) => {
    for (let open = rightsOf(leases, names, part); open.length > 0; ) {
      const asked = elapsed();
      const looks = await look(part, open);
      const marks = await part.ask((batch) => {
        for (const { right, item } of looks)
          mark(batch, { ...right, item, request: right.lease }, right.token.cas);
      });
      const slow = isSlow(asked);
      const again: Right<kit.LeaseExtension>[] = [];
      const undone: string[] = [];
      for (const [index, answer] of marks.entries()) {
        const one = looks[index];
        if (one === undefined) continue;
        const { place, name } = one.right;
        // As in `claim`: bytes that were written again may live too long, and go with the lease.
        const isVoid = slow && one.item.bytes !== undefined;
        if (answer.code === "EX") again.push(one.right);
        else if (answer.code === "HD" && isVoid) undone.push(`md ${name} C${answer.cas}`);
        else if (answer.code === "HD") extended[place] = true;
        else if (!isChanged(answer)) throw refusal(answer);
      }
      await part.ask((batch) => {
        for (const command of undone) batch.command(command);
      });
      open = again;
    }
  });
  return extended;
}

/** The command of a call for one lease. */
interface Act<L extends kit.HeldLease> {
  /** Adds the command on condition of the right's CAS number. Returns whether there is one. */
  send(batch: Batch, right: Right<L>, server: Server): boolean;
  /** Handles an error of the server. */
  refused(lease: L, error: Error): void;
}

async function whichHeld<L extends kit.HeldLease>(
  client: Client,
  leases: readonly L[],
  call: kit.StorageCall,
  act: Act<L>,
): Promise<readonly boolean[]> {
  const held = new Array<boolean>(leases.length).fill(false);
  const names = leases.map(({ key }) => itemName(key));
  await client.eachUp(names, call, async (part) => {
    for (let open = rightsOf(leases, names, part); open.length > 0; ) {
      const sent: Right<L>[] = [];
      const answers = await part.ask((batch) => {
        refuseProxy(part.server);
        for (const right of open) {
          if (isOfRun(right, part.server) && act.send(batch, right, part.server)) sent.push(right);
        }
      });
      const changed: Right<L>[] = [];
      for (const [index, answer] of answers.entries()) {
        const right = sent[index];
        if (right === undefined) continue;
        if (answer.code === "HD") held[right.place] = true;
        else if (answer.code === "EX") changed.push(right);
        else if (!isChanged(answer)) act.refused(right.lease, refusal(answer));
      }
      open = (await look(part, changed)).map(({ right, item }) => ({ ...right, cas: item.cas }));
    }
  });
  return held;
}

/** Reads the items of leases, and returns those that the tokens are still for. */
async function look<L extends kit.HeldLease>(
  part: ServerCall,
  rights: readonly Right<L>[],
): Promise<readonly { readonly right: Right<L>; readonly item: Item }[]> {
  if (rights.length === 0) return [];
  const answers = await part.get(
    rights.map(({ name }) => name),
    () => {
      refuseProxy(part.server);
      return "v f t c";
    },
  );
  return rights.flatMap((right, index) => {
    const answer = answers[index];
    if (answer === undefined || answer.code === "EN" || !isOfRun(right, part.server)) return [];
    if (answer.code !== "VA") throw refusal(answer);
    const item = itemOf(answer, right.name, right.lease.key);
    return [item.cas, item.extended].includes(right.token.cas) ? [{ right, item }] : [];
  });
}

function rightsOf<L extends kit.HeldLease>(
  leases: readonly L[],
  names: readonly string[],
  { places }: ServerCall,
): readonly Right<L>[] {
  const rights: Right<L>[] = [];
  for (const place of places) {
    const [lease, name] = [leases[place], names[place]];
    const token = lease && tokenFrom(lease.token);
    if (lease === undefined || name === undefined || token === undefined) continue;
    rights.push({ lease, place, name, token, cas: token.cas });
  }
  return rights;
}

/** Whether this run of the server can have given the token. */
function isOfRun({ token }: Right, { facts }: Server): boolean {
  return token.run === facts.run;
}
