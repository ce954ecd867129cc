import type { StoredTouch } from "cacheme/driver";
import type { Answer } from "./answers.js";
import type { Method, Part } from "./client.js";
import { expiry, secondsLeft, ttlSeconds } from "./exptime.js";
import { hasValueOnly, itemData, itemOf } from "./record.js";
import { isChanged, refusal } from "./trouble.js";

/** A touch, the place of its answer, and the name of its item. */
interface Wanted {
  readonly place: number;
  readonly name: string;
  readonly touch: StoredTouch;
}

/**
 * Keeps items for longer: a look at each item without its data, and `mg … T`, which moves an item's
 * end and not its CAS number.
 *
 * If the item is leased between the two, that lease ends later. It is no less safe, because the CAS
 * number decides who fills.
 */
export const touch: Method<"touch"> = async (client, touches, call) => {
  const found = new Array<boolean>(touches.length).fill(false);
  const keys = touches.map(({ key }) => key);
  await client.eachUp(keys, call, async (part) => {
    const wanted = part.places.flatMap((place, index) => {
      const given = touches[place];
      return given === undefined ? [] : { place, name: part.names[index] ?? "", touch: given };
    });
    const names = wanted.map(({ name }) => name);
    const looks = await part.server.get(call, names, () => "f s t");
    const ends: string[] = [];
    const places: number[] = [];
    const others: Wanted[] = [];
    for (const [index, one] of wanted.entries()) {
      const look = looks[index];
      if (look === undefined || isMissing(look)) continue;
      if (!hasValueOnly(look, one.name, one.touch.key)) others.push(one);
      else {
        found[one.place] = true;
        const seconds = ttlSeconds(one.touch.ttl) ?? 0;
        if (look.left < 0 || look.left >= seconds) continue;
        ends.push(`mg ${one.name} T${expiry(seconds, part.server)}`);
        places.push(one.place);
      }
    }
    const moved = ends.length === 0 ? undefined : part.server.send(call, ends);
    const [moves = []] = await Promise.all([moved, writeAgain(part, others, found)]);
    // Each, so that no refusal is lost. An item that was removed since the look is gone.
    for (const [index, move] of moves.entries()) {
      const place = places[index];
      if (isMissing(move) && place !== undefined) found[place] = false;
    }
  });
  return found;
};

/**
 * Writes items again whose times count from their end, each if it has not changed since the look. A
 * leased item stays: its holder is about to replace it.
 */
async function writeAgain(
  { server, call }: Part,
  wanted: readonly Wanted[],
  found: boolean[],
): Promise<void> {
  if (wanted.length === 0) return;
  const names = wanted.map(({ name }) => name);
  const looks = await server.get(call, names, () => "v f t c");
  const answers = await server.ask(call, (batch) => {
    for (const [index, { place, name, touch: given }] of wanted.entries()) {
      const look = looks[index];
      if (look === undefined || isMissing(look)) continue;
      const item = itemOf(look, name, given.key);
      if (item.bytes === undefined) continue;
      found[place] = true;
      const seconds = ttlSeconds(given.ttl) ?? 0;
      if (item.isLeased || item.left >= seconds) continue;
      const { staleAt, goneAt, left } = item;
      const end = expiry(seconds, server);
      const later = secondsLeft(end, seconds, server) - left;
      const times = { staleAt: staleAt > goneAt ? staleAt + later : 0 };
      const { flags, pieces } = itemData(name, given.key, item.bytes, times);
      batch.store(name, `T${end} F${flags} C${item.cas}`, pieces);
    }
  });
  for (const answer of answers) if (answer.code !== "HD" && !isChanged(answer)) throw refusal(answer);
}

/** @throws Refusal if the server has refused the command */
function isMissing(answer: Answer): boolean {
  if (answer.code === "EN") return true;
  if (answer.code === "HD" || answer.code === "VA") return false;
  throw refusal(answer);
}
