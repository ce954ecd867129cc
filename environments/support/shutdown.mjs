import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { start } from "./processes.mjs";

/**
 * The number of clients that read as fast as they can. Half of them keep their connections, the
 * others open one for each request.
 */
const busyCount = 20;

/**
 * The number of clients with a pending request when the signal comes. Afterwards they send nothing
 * more and keep their connections.
 */
const idleCount = 5;

/** The number of answers before the signal. */
const warmUp = 60;

/**
 * Starts a server that prints its address, lets `use` try it, and sends it SIGTERM while clients
 * read. The server must answer each accepted request with 200, and end by itself with code 0. It
 * must not wait for clients that keep connections.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {string} folder
 * @param {(ask: (path: string, options?: object) =>
 * Promise<{ status: number, body: string }>) => Promise<void>} use
 * @param {{ quick(count: number): string, slow(count: number): string }} paths return the path of
 * the next request: `quick` takes some tenths of a second, `slow` takes longer
 * @returns {Promise<string>} the result, for the printed line
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
  /** @returns whether the server may accept another request */
  const read = async (pathOf, options) => {
    count += 1;
    try {
      const { status, body } = await counted(pathOf(count), options);
      assert.equal(status, 200, body);
      return true;
    } catch (error) {
      // An ended server refuses connections. An ending one closes connections with requests that it
      // has not accepted.
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
        signalAfter = answered + idleCount; // By then the server has accepted them.
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
  assert.equal(answered, taken, "expected an answer to each accepted request");
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
      response.once("error", (cause) => reject(new Error("The answer was incomplete", { cause })));
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
