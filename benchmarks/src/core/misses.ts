import { interleaved, processorTime } from "../interleaved.js";
import { type Build, hasLeases, open, payloadNode } from "./build.js";

/** A build, and whether its reads acquire leases. */
interface Measured {
  readonly build: Build;
  readonly name: string;
  readonly options: { readonly lease?: false };
}

/**
 * The processor time of a read that no tier can answer, over memory and Redis, as ratios to the last build. It is measured
 * without leases, like with like. A row of its own tells what leases cost, which are a round trip more and two scripts a read.
 */
export async function misses(builds: readonly Build[], url: string): Promise<void> {
  console.log("\nA miss on memory and Redis: processor time, as a ratio to the last build without leases");
  const all: Measured[] = [];
  for (const build of builds) {
    const leased = await hasLeases(build);
    if (leased) all.push({ build, name: `${build.name}, with leases`, options: {} });
    all.push({ build, name: `${build.name}, no leases`, options: leased ? { lease: false } : {} });
  }
  for (const inFlight of [1, 100, 1_000]) {
    const reads = inFlight === 1 ? 3_000 : 20_000;
    const spaces = await Promise.all(
      all.map(({ build }, index) => open(build, url, `misses-${process.pid}-${inFlight}-${index}`)),
    );
    const classes = await Promise.all(
      all.map(({ build, options }) => payloadNode(build, ["local", "redis"], undefined, options)),
    );
    const variants = spaces.map((space, index) => {
      const PayloadNode = classes[index] as (typeof classes)[number]; // A space for each row.
      let next = 0;
      return async () => {
        for (let done = 0; done < reads; done += inFlight) {
          await Promise.all(Array.from({ length: inFlight }, () => space.get(new PayloadNode(next++))));
        }
      };
    });
    const ratios = await interleaved(variants.toReversed(), processorTime, { rounds: 9 });
    for (const [index, ratio] of ratios.toReversed().entries()) {
      console.log(`${all[index]?.name}, ${inFlight} in flight`.padEnd(52), ratio.toFixed(2));
    }
    for (const space of spaces) await space.close();
  }
}
