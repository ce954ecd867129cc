import { countingLoad, longTtl, type Row } from "../row.js";

export const failingLoad: Row = {
  title: "100 readers, the load fails: loads, and what readers get",
  fusionCache: { outcome: "not documented", page: "CacheStampede" },
  async run(library) {
    const failure = new Error("the source is down");
    const { load, calls } = countingLoad(() => {
      throw failure;
    }, 10);
    const cache = await library.open({ tiers: "memory", ttl: longTtl, load });
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => cache.get("key")));
    const answers = new Set(outcomes.map((outcome) => answerOf(outcome, failure)));
    return `${calls.length}, ${[...answers].join(" or ")}`;
  },
};

function answerOf(outcome: PromiseSettledResult<unknown>, failure: Error): string {
  if (outcome.status === "fulfilled") return String(outcome.value);
  if (outcome.reason === failure) return "its error";
  const { cause } = outcome.reason as Error;
  return cause === failure ? "its error as cause" : `another error`;
}
