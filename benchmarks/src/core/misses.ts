import { interleaved, processorTime } from "../interleaved.js";
import { type Build, open, payloadNode } from "./build.js";

/** The processor time of a read that no tier can answer, over memory and Redis, as ratios to the last build. */
export async function misses(builds: readonly Build[], url: string): Promise<void> {
  console.log("\nA miss on memory and Redis: processor time, as a ratio to the last build of the list");
  for (const inFlight of [1, 100, 1_000]) {
    const reads = inFlight === 1 ? 3_000 : 20_000;
    const spaces = await Promise.all(
      builds.map((build, index) => open(build, url, `misses-${process.pid}-${inFlight}-${index}`)),
    );
    const classes = await Promise.all(builds.map((build) => payloadNode(build, ["local", "redis"])));
    const variants = spaces.map((space, index) => {
      const PayloadNode = classes[index] as (typeof classes)[number]; // A space for each build.
      let next = 0;
      return async () => {
        for (let done = 0; done < reads; done += inFlight) {
          await Promise.all(Array.from({ length: inFlight }, () => space.get(new PayloadNode(next++))));
        }
      };
    });
    const ratios = await interleaved(variants.toReversed(), processorTime, { rounds: 9 });
    for (const [index, ratio] of ratios.toReversed().entries()) {
      console.log(`${builds[index]?.name}, ${inFlight} in flight`.padEnd(44), ratio.toFixed(2));
    }
    for (const space of spaces) await space.close();
  }
}
