import cluster, { type Worker as ClusterWorker } from "node:cluster";
import { once } from "node:events";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { Cacheme, defineNode, memory, processBus } from "../../src/index.js";

/** A part of the program: its space, and what it answers to a word. */
async function part() {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory());
  let loads = 0;
  const user = defineNode({
    name: "user",
    caches: [{ storage: "local" }],
    key: (id: number) => `${id}`,
    load: () => ++loads,
  });
  const registered = await cacheme.registerBus(processBus(), { heartbeat: "100ms" }).then(
    () => "registered",
    (error: Error) => error.message,
  );
  const acts: Readonly<Record<string, () => unknown>> = {
    registered: () => registered,
    get: () => cacheme.get(user(1)),
    peek: () => cacheme.peekLocal(user(1))?.value ?? null,
    invalidate: () => cacheme.invalidate(user(1)).then(() => "invalidated"),
    state: () => cacheme.busStatus()?.state,
    processes: () => cacheme.busStatus()?.processes,
    close: () => cacheme.close().then(() => "closed"),
  };
  return (word: string) => Promise.resolve(acts[word]?.());
}

/** A thread or a worker, and a way to ask it. */
interface Other {
  ask(word: string): Promise<unknown>;
  end(): unknown;
}

async function thread(): Promise<Other> {
  const worker = new Worker(process.argv[1] ?? "", { argv: ["part"] });
  await once(worker, "message");
  return {
    ask: async (word) => {
      worker.postMessage(word);
      return (await once(worker, "message"))[0];
    },
    end: () => worker.terminate(),
  };
}

async function forked(): Promise<Other> {
  cluster.setupPrimary({ args: ["part"] });
  const worker: ClusterWorker = cluster.fork();
  const waiting: ((said: unknown) => void)[] = [];
  worker.on("message", (heard: { readonly said?: unknown }) => {
    if ("said" in heard) waiting.shift()?.(heard.said);
  });
  const answer = () => new Promise<unknown>((resolve) => waiting.push(resolve));
  await answer();
  return {
    ask: (word) => {
      const answered = answer();
      worker.send({ word });
      return answered;
    },
    end: () => worker.process.kill("SIGKILL"),
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** An invalidation in the first one, and what each of them has then. */
async function invalidates([first, ...others]: readonly ((word: string) => Promise<unknown>)[]) {
  if (first === undefined) return [];
  for (const ask of [first, ...others]) await ask("get");
  const before = await Promise.all([first, ...others].map((ask) => ask("peek")));
  await first("invalidate");
  for (const ask of others) await until(async () => (await ask("peek")) === null);
  const after = await Promise.all(others.map((ask) => ask("get")));
  return { before, after };
}

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  async threads() {
    const [own, one, other] = [await part(), await thread(), await thread()];
    const found = [
      await invalidates([one.ask, other.ask, own]),
      await invalidates([own, one.ask, other.ask]),
    ];
    await Promise.all([one.end(), other.end()]);
    return found;
  },
  async workers() {
    const [own, one, other] = [await part(), await forked(), await forked()];
    const found = [
      await invalidates([one.ask, other.ask, own]),
      await invalidates([own, one.ask, other.ask]),
    ];
    await until(async () => (await one.ask("processes")) === 2);
    await Promise.all([one.end(), other.end()]);
    return found;
  },
  async withoutPrimary() {
    const worker = await forked();
    const found = await worker.ask("registered");
    worker.end();
    return found;
  },
  async primaryComesLater() {
    const forking = forked();
    const own = await part();
    const worker = await forking;
    const found = [await worker.ask("registered"), await worker.ask("state")];
    await own("close");
    await until(async () => (await worker.ask("state")) === "lost");
    const again = await part();
    await until(async () => (await worker.ask("state")) === "subscribed");
    found.push(await invalidates([again, worker.ask]));
    worker.end();
    return found;
  },
  /** Ends by itself, although nothing is closed. */
  async idle() {
    return await (await part())("registered");
  },
};

const [, , name = ""] = process.argv;
if (name === "part") {
  const act = await part();
  if (isMainThread) {
    process.on("message", async ({ word }: { readonly word?: string }) => {
      if (word !== undefined) process.send?.({ said: await act(word) });
    });
    process.send?.({ said: "ready" });
  } else {
    parentPort?.on("message", async (word: string) => parentPort?.postMessage(await act(word)));
    parentPort?.postMessage("ready");
  }
} else {
  process.stdout.write(`${JSON.stringify(await scenarios[name]?.())}\n`);
}
