/**
 * node cluster.js FOLDER: runs two processes on one port, which share entries in the folder. Both
 * end after they are disconnected.
 */
import assert from "node:assert/strict";
import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { clear, close, get, invalidate, stats } from "cacheme";
import { MsgpackNode } from "./pages.js";
import { open } from "./tour.js";

/** The answer of a process: its id, and the number of its loads. */
interface Answer {
  readonly process: number;
  readonly loadCount: number;
  readonly by: string;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Expected a folder as the argument.");

if (cluster.isPrimary) await direct();
else await serve(folder);

async function direct() {
  const workers = [cluster.fork(), cluster.fork()];
  const exits = workers.map((worker) => once(worker, "exit"));
  const [port, other] = await Promise.all(workers.map(portOf));
  assert.ok(port !== undefined && port === other, "both listen on one port");

  assert.deepEqual(
    loadsOf(await askBoth(port, "GET")),
    [0, 1],
    "one process loads, the other reads the folder",
  );
  await ask(port, "DELETE");
  // Each process clears its memory before it reads, because no bus notifies it of the removal.
  assert.equal(sum(loadsOf(await askBoth(port, "GET"))), 2, "the removal in one process holds for the other");

  cluster.disconnect();
  for (const [code, signal] of await Promise.all(exits)) {
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, "a process of the cluster ends by itself");
  }
  console.log(JSON.stringify({ processes: 2 }));
}

async function portOf(worker: Worker): Promise<number> {
  const [address] = (await once(worker, "listening")) as [AddressInfo];
  return address.port;
}

/**
 * Repeats the request until both processes have answered; each connection goes to the next process.
 */
async function askBoth(port: number, method: string): Promise<Answer[]> {
  const answers = new Map<number, Answer>();
  while (answers.size < 2) {
    const answer = await ask(port, method);
    answers.set(answer.process, answer);
  }
  return [...answers.values()];
}

async function ask(port: number, method: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { method, headers: { connection: "close" } });
  assert.equal(response.status, 200);
  return (await response.json()) as Answer;
}

function loadsOf(answers: readonly Answer[]): number[] {
  return answers.map(({ loadCount }) => loadCount).sort();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function serve(folder: string) {
  await open(folder);
  const node = new MsgpackNode("clustered");
  const server = createServer(async (request, response) => {
    await clear();
    if (request.method === "DELETE") await invalidate(node);
    const { by } = request.method === "DELETE" ? { by: "" } : await get(node);
    const { loadCount } = stats(MsgpackNode);
    response.end(JSON.stringify({ process: process.pid, loadCount, by } satisfies Answer));
  });
  // The primary disconnects a process after its servers have closed.
  server.on("close", () => void close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}
