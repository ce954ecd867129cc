import { flavourOf, resolveServer } from "../find/resolve.js";
import { catalogue, type ServiceName } from "../services/catalogue.js";
import { startRedisCluster } from "./redis-cluster.js";
import { startRedisSentinel } from "./redis-sentinel.js";
import { server } from "./service.js";

/** A service that can be started and stopped, with its name for the printed line. */
interface Startable {
  readonly title: string;
  start(): Promise<{ stop(): Promise<void> }>;
}

/**
 * Starts all services of this machine at once, as a run of all tests does at worst, and stops them.
 *
 * @returns the time that each took to start, and the time of all
 * @throws AggregateError if services do not start; the others have been stopped
 */
export async function measureStartUp(): Promise<string> {
  const begin = performance.now();
  const took = (): string => `${Math.round(performance.now() - begin)} ms`;
  const here = startables();
  const outcomes = await Promise.allSettled(
    here.map(async ({ title, start }) => {
      const running = await start();
      return { running, line: `${title} ${took()}` };
    }),
  );
  const all = took();
  const started = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failures = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  await Promise.all(started.map(({ running }) => running.stop()));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("\n"));
  return `All started together in ${all}: ${started.map(({ line }) => line).join(", ")}`;
}

function startables(): Startable[] {
  const names = Object.keys(catalogue) as ServiceName[];
  const found = names.filter((name) => resolveServer(name).from !== "nowhere");
  const single = found.map((name) => ({ title: titleOf(name), start: () => server(name) }));
  if (resolveServer("redis").from !== "binary") return single;
  return [
    ...single,
    { title: "Redis Cluster of six", start: startRedisCluster },
    { title: "Redis with replicas and sentinels", start: startRedisSentinel },
  ];
}

function titleOf(name: ServiceName): string {
  const resolution = resolveServer(name);
  return resolution.from === "substitute" ? flavourOf(name, resolution) : catalogue[name].title;
}
