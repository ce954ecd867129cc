import { redis } from "@cacheme/redis";
import { Cacheme, memory } from "cacheme";
import { patient, patientClient } from "../patient.js";
import { type Payload, type PayloadNodeClass, payload } from "../payload.js";

/** The most nodes of one `setAll`. */
const page = 2_000;

/** Opens a space with a local storage, and with the Redis at this address if there is one. */
export async function openSpace(prefix: string, url?: string): Promise<Cacheme> {
  const cacheme = new Cacheme({ prefix });
  await cacheme.registerStorage("local", memory({ maxSize: 1_200_000 }));
  if (url !== undefined) await cacheme.registerStorage("redis", redis(url, patientClient), patient);
  return cacheme;
}

/** Stores the nodes with the ids from `first` on. */
export async function fill(
  cacheme: Cacheme,
  PayloadNode: PayloadNodeClass,
  count: number,
  first = 0,
): Promise<void> {
  for (let begin = 0; begin < count; begin += page) {
    const length = Math.min(page, count - begin);
    const nodes = Array.from({ length }, (_, place) => new PayloadNode(first + begin + place));
    await cacheme.setAll(nodes.map((node) => [node, payload] as readonly [typeof node, Payload]));
  }
}

/** Fails if a class has missed, because then the figure is not that of a hit. */
export function expectHits(cacheme: Cacheme, PayloadNode: PayloadNodeClass): void {
  const { missCount } = cacheme.stats(PayloadNode);
  if (missCount > 0) throw new Error(`Expected hits alone, got ${missCount} misses: the figure is invalid.`);
}
