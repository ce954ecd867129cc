import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { start } from "./processes.mjs";

/** Half of the clients keep their connections, the others make one for each request. */
const clientCount = 20;

/** Answers before the signal, so that connections are kept and requests are under way when it comes. */
const warmUp = 60;

/**
 * Starts a server that prints its address, lets `use` try it, and sends it SIGTERM while clients read as fast as they can: each
 * request that the server takes has to be answered with 200, and the server has to end by itself with code 0.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {string} folder
 * @param {(address: string) => Promise<void>} use
 * @param {(count: number) => string} path of the next request
 * @returns {Promise<string>} what was seen
 */
export async function checkShutdown(command, folder, use, path) {
  const counter = new URL("count-requests.mjs", import.meta.url);
  const NODE_OPTIONS = `--import=${counter.href}`;
  const server = start(command, { cwd: folder, env: { ...process.env, NODE_OPTIONS, PORT: "0" } });
  const [address] = await server.prints(/http:\/\/127\.0\.0\.1:\d+/);
  let answered = 0;
  const counted = async (...args) => {
    const answer = await ask(...args);
    answered += 1;
    return answer;
  };
  await use((...args) => counted(new URL(args[0], address), args[1]));

  const used = answered;
  let next = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: clientCount });
  const read = async (options) => {
    for (;;) {
      next += 1;
      try {
        const { status, body } = await counted(new URL(path(next), address), options);
        assert.equal(status, 200, body);
      } catch (error) {
        if (isRefused(error)) return;
        // The server closed a connection from which it had not taken the request.
        if (!isReset(error)) throw error;
      }
      if (answered >= used + warmUp && !server.child.killed) server.child.kill("SIGTERM");
    }
  };
  await Promise.all(
    Array.from({ length: clientCount }, (_, index) => read(index % 2 === 0 ? { agent } : {})),
  );
  agent.destroy();

  const printed = await server.ended;
  const taken = Number(/(\d+) requests taken/.exec(printed)?.[1]);
  assert.equal(answered, taken, "each request that the server took is answered");
  return `${answered - used} requests around SIGTERM, all answered`;
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
