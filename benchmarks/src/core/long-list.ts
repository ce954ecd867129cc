import { Redis } from "ioredis";
import { interleaved, wallTime } from "../interleaved.js";
import { type Payload, payload } from "../payload.js";
import { type Build, open, payloadNode } from "./build.js";

const count = 100_000;
const keysPerCommand = 1_000;

/** The time of `getAll` of 100,000 stored keys, as a ratio to bare MGETs of 1,000 keys with JSON.parse, and the longest pause. */
export async function longList(builds: readonly Build[], url: string): Promise<void> {
  console.log(
    "\ngetAll of 100,000 keys on Redis: time as a ratio to bare MGETs, longest pause of the event loop",
  );
  const ids = Array.from({ length: count }, (_, id) => id);
  const client = new Redis(url);
  const pages = Array.from({ length: count / keysPerCommand }, (_, page) =>
    ids.slice(page * keysPerCommand, (page + 1) * keysPerCommand).map((id) => `bare:${id}`),
  );
  const text = JSON.stringify(payload);
  for (const page of pages) await client.mset(page.flatMap((key) => [key, text]));
  const bare = async (): Promise<Payload[]> => {
    const found = await Promise.all(pages.map((page) => client.mget(page)));
    return found.flat().map((json) => JSON.parse(json ?? "null"));
  };
  const pauses = new Map<string, number[]>();
  const variants = [timed("bare", bare, pauses)];
  const spaces = [];
  for (const [index, build] of builds.entries()) {
    const space = await open(build, url, `list-${process.pid}-${index}`);
    const PayloadNode = await payloadNode(build, ["redis"]);
    for (const page of pages)
      await space.setAll(page.map((key) => [new PayloadNode(Number(key.slice(5))), payload] as const));
    variants.push(timed(build.name, () => space.getAll(ids.map((id) => new PayloadNode(id))), pauses));
    spaces.push(space);
  }
  const ratios = await interleaved(variants, wallTime, { rounds: 7 });
  for (const [index, [name, longest]] of [...pauses].entries()) {
    const ratio = index === 0 ? 1 : ratios[index - 1];
    const pause = longest.toSorted((one, other) => one - other)[longest.length >> 1];
    console.log(name.padEnd(44), ratio?.toFixed(2), `${pause?.toFixed(0)} ms`);
  }
  for (const space of spaces) await space.close();
  client.disconnect();
}

/** Notes the longest time between two turns of the event loop. */
function timed(name: string, run: () => Promise<unknown>, pauses: Map<string, number[]>) {
  return async () => {
    let isRunning = true;
    let longest = 0;
    let last = performance.now();
    const turn = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (isRunning) setImmediate(turn);
    };
    setImmediate(turn);
    await run();
    isRunning = false;
    pauses.set(name, [...(pauses.get(name) ?? []), longest]);
  };
}
