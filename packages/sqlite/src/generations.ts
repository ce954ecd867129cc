import {
  type Generation,
  generationFrom,
  generationText,
  lastingTtl,
  type NewGeneration,
  nextGeneration,
} from "cacheme/driver";
import type { Slice } from "./client.js";
import { after, bytesOf, store } from "./record.js";

/* A generation is an ordinary record. Each batch is one transaction that nobody else writes in. */

/** Reads the generation of a tag if it is there for long enough. */
export function find(slice: Slice, { key }: NewGeneration, ttl: number | undefined): Generation | undefined {
  const { expires, generation } = found(slice, key);
  return expires > slice.now && expires >= after(slice, ttl) ? generation : undefined;
}

/** Makes the generation of a tag if there is none, or keeps the one that is there for long enough. */
export function ensure(slice: Slice, tag: NewGeneration, ttl: number | undefined): Generation {
  const { expires, generation } = found(slice, tag.key);
  const kept = lastingTtl(ttl);
  if (generation === undefined || expires <= slice.now) return bump(slice, tag, kept);
  const until = after(slice, kept);
  if (until > expires) slice.commands.prolong.run(until, slice.now, tag.key);
  return generation;
}

/** Makes a new generation of a tag. */
export function bump(slice: Slice, { key, id }: NewGeneration, ttl: number | undefined): Generation {
  const generation = nextGeneration(id, slice.now, found(slice, key).generation);
  store(slice, { key, bytes: Buffer.from(generationText(generation)), ttl });
  return generation;
}

/** Reads what is stored under the key, even if it has expired. Bytes of another kind are no generation. */
function found({ commands }: Slice, key: string): { expires: number; generation: Generation | undefined } {
  const { bytes, expires } = commands.readRow.row(key) ?? {};
  return { expires: Number(expires ?? 0), generation: generationFrom(bytesOf(bytes)) };
}
