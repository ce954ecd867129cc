import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { start } from "./processes.mjs";

/** Clients that read as fast as they can. Half of them keep their connections, the others make one for each request. */
const busyCount = 20;

/** Clients with one request under way when the signal comes. Then they ask nothing more and keep their connections. */
const idleCount = 5;

/** Answers before the signal. */
const warmUp = 60;

/**
 * Starts a server that prints its address, lets `use` try it, and sends it SIGTERM while clients read: each request that the
 * server takes has to be answered with 200, and the server has to end by itself with code 0. It must not wait for clients that
 * keep connections.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {string} folder
 * @param {(ask: (path: string, options?: object) => Promise<{ status: number, body: string }>) => Promise<void>} use
 * @param {{ quick(count: number): string, slow(count: number): string }} paths of the next request: one that takes some tenths of a
 *   second, and one that takes longer
 * @returns {Promise<string>} what was seen
 */
export async function checkShutdown(command, folder, use, paths) {
  const preloaded = new URL("watched-server.mjs", import.meta.url);
  const NODE_OPTIONS = `--import=${preloaded.href}`;
  const server = start(command, { cwd: folder, env: { ...process.env, NODE_OPTIONS, PORT: "0" } });
  const [address] = await server.prints(/http:\/\/127\.0\.0\.1:\d+/);
  let answered = 0;
  const counted = async (path, options) => {
    const answer = await ask(new URL(path, address), options);
    answered += 1;
    return answer;
  };
  await use(counted);

  const used = answered;
  let count = 0;
  /** @returns whether the server may take another request */
  const read = async (pathOf, options) => {
    count += 1;
    try {
      const { status, body } = await counted(pathOf(count), options);
      assert.equal(status, 200, body);
      return true;
    } catch (error) {
      // A server that has ended refuses; one that ends closes connections from which it has not taken the request.
      if (isReset(error)) return true;
      if (isRefused(error)) return false;
      throw error;
    }
  };

  const [busy, idle] = [keepingAgent(), keepingAgent()];
  let idleReads;
  let signalAfter = Number.POSITIVE_INFINITY;
  const readUntilRefused = async (options) => {
    while (await read(paths.quick, options)) {
      if (idleReads === undefined && answered >= used + warmUp) {
        idleReads = Promise.all(Array.from({ length: idleCount }, () => read(paths.slow, { agent: idle })));
        signalAfter = answered + idleCount; // By then the server has taken them.
      } else if (answered >= signalAfter && !server.child.killed) server.child.kill("SIGTERM");
    }
  };
  await Promise.all(
    Array.from({ length: busyCount }, (_, index) => readUntilRefused(index % 2 === 0 ? { agent: busy } : {})),
  );
  await idleReads;

  const printed = await server.ended;
  busy.destroy();
  idle.destroy();
  const taken = Number(/(\d+) requests taken/.exec(printed)?.[1]);
  assert.equal(answered, taken, "each request that the server took is answered");
  return `${answered - used} requests around SIGTERM, all answered`;
}

function keepingAgent() {
  return new Agent({ keepAlive: true });
}

/**
 * @param {URL} url
 * @param {import("node:http").RequestOptions & { body?: string }} [options]
 * @returns {Promise<{ status: number, body: string }>}
 */
function ask(url, { body, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => {
        text += part;
      });
      response.once("error", (cause) => reject(new Error("The answer was cut off", { cause })));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

function isRefused(error) {
  return error.code === "ECONNREFUSED";
}

function isReset(error) {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}
