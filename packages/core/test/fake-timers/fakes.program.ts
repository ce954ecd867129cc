/**
 * Works under fake timers that stand still, with `process.nextTick` faked as Jest does by default.
 * The first argument says whether they are installed before or after the import of the package. The
 * program prints the result of each piece of work. If one hangs, nothing keeps the program alive,
 * and nothing is printed.
 */
import FakeTimers from "@sinonjs/fake-timers";

const install = () => FakeTimers.install({ now: 1_700_000_000_000 });

const early = process.argv[2] === "before" ? install() : undefined;
const { Cacheme, memory, systemClock } = await import("../../src/index.js");
const { StorageCalls } = await import("../../src/driver.js");
const { SimulatedRemote } = await import("../support/simulated-remote.js");
const { countingNode, twoTiers } = await import("../support/space.js");
const fakes = early ?? install();

const cacheme = new Cacheme();
const remote = new SimulatedRemote(systemClock);
await cacheme.registerStorage("local", memory());
await cacheme.registerStorage("remote", remote);

const { Counting, loads } = countingNode({ caches: twoTiers }, (id) => id);
const { Counting: Endless } = countingNode({ name: "endless", loadTimeout: 20 }, () => new Promise(() => {}));

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "none",
    (error: { code: string }) => error.code,
  );

async function afterAwaits(id: number): Promise<unknown> {
  for (let step = 0; step < id; step++) await undefined;
  return cacheme.get(new Counting(id));
}

const values = await Promise.all([afterAwaits(1), afterAwaits(3), afterAwaits(5)]);
const reads = remote.calls.filter(({ operation }) => operation === "read").length;

const loadCode = await codeOf(cacheme.get(new Endless(1)));
const limits = { label: "silent", connect: "eager", commandTimeout: 20, connectTimeout: 20 } as const;
const never = () => new Promise<never>(() => {});
const silent = new StorageCalls({ ...limits, open: async () => {}, shut: async () => {} });
const readCode = await codeOf(silent.run("a read", never));
const connectCode = await codeOf(
  new StorageCalls({ ...limits, open: never, shut: async () => {} }).connect(),
);

fakes.setSystemTime(fakes.now + 60_000);
const isLocal = cacheme.peekLocal(new Counting(1)) !== undefined;
await cacheme.get(new Counting(1));
const loadsWithinTtl = loads.length;
fakes.setSystemTime(fakes.now + 600_000);
await cacheme.get(new Counting(1));
const loadsAfterTtl = loads.length;

fakes.uninstall();
console.log(
  JSON.stringify({
    values,
    reads,
    loadCode,
    readCode,
    connectCode,
    isLocal,
    loadsWithinTtl,
    loadsAfterTtl,
  }),
);
