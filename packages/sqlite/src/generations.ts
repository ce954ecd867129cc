import { type Generation, generationFrom, generationText, type NewGeneration } from "cacheme/driver";
import type { Slice } from "./client.js";
import { after, bytesOf, store } from "./record.js";

/* A generation is an ordinary record. Each batch is one transaction that nobody else writes in. */

/** Reads the generation of a tag if it is there for long enough. */
export function find(slice: Slice, { key }: NewGeneration, ttl: number | undefined): Generation | undefined {
  const { expires, generation } = found(slice, key);
  return expires > slice.now && expires >= after(slice, ttl) ? generation : undefined;
}

/**
 * Makes the generation of a tag if there is none, or keeps the one that is there for long enough: for a quarter more, so
 * that later calls have nothing to write.
 */
export function ensure(slice: Slice, tag: NewGeneration, ttl: number | undefined): Generation {
  const { expires, generation } = found(slice, tag.key);
  const kept = ttl === undefined ? undefined : ttl + Math.floor(ttl / 4);
  if (generation === undefined || expires <= slice.now) return bump(slice, tag, kept);
  const until = after(slice, kept);
  if (until > expires) slice.commands.prolong.run(until, slice.now, tag.key);
  return generation;
}

/** Makes a new generation of a tag. The machine's clock may be set back; the times of generations are not. */
export function bump(slice: Slice, { key, id }: NewGeneration, ttl: number | undefined): Generation {
  const before = found(slice, key).generation?.at ?? 0;
  const generation = { id, at: Math.max(slice.now, before) };
  store(slice, { key, bytes: Buffer.from(generationText(generation)), ttl });
  return generation;
}

/** Reads what is stored under the key, even if it has expired. Bytes of another kind are no generation. */
function found({ commands }: Slice, key: string): { expires: number; generation: Generation | undefined } {
  const { bytes, expires } = commands.readRow.row(key) ?? {};
  return { expires: Number(expires ?? 0), generation: generationFrom(bytesOf(bytes)) };
}
