import assert from "node:assert/strict";
import { request } from "node:http";
import { setTimeout } from "node:timers/promises";

const { start } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);

/** The number of clients that read and write during the restarts. */
const clientCount = 8;

/** The number of requests before the first restart and after each. */
const share = 150;

/**
 * Two instances of a server behind a balancer that sends a request to the other one if the first
 * does not accept it.
 */
export class Instances {
  /** @type {{ child: import("node:child_process").ChildProcess, ended: Promise<string>, address: string, newest: number }[]} */
  #servers = [];
  #command;
  #env;

  /**
   * @param {readonly [string, ...string[]]} command
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(command, env) {
    this.#command = command;
    this.#env = env;
  }

  async start() {
    this.#servers = await Promise.all([this.#launch(), this.#launch()]);
  }

  /** @param {number} place */
  async read(place, id) {
    const server = this.#servers[place];
    const { newest } = server;
    const { status, body } = await this.#ask(server.address, `/values/${id}`, { method: "GET" });
    assert.equal(status, 200, body);
    const version = Number(body);
    assert.ok(version >= newest, `instance ${place} answered ${version}, and ${newest} before`);
    server.newest = Math.max(server.newest, version);
    return version;
  }

  async write(place, id, version) {
    const { address } = this.#servers[place];
    const { status, body } = await this.#ask(address, `/values/${id}`, { method: "PUT", body: `${version}` });
    assert.equal(status, 204, body);
  }

  /**
   * Restarts the instances, one after the other, while clients read and one of them writes.
   *
   * @param {string} id
   * @param {number} version the first version that is written
   * @returns {Promise<number>} the number of answered requests
   */
  async restartUnderLoad(id, version) {
    let answered = 0;
    let isOver = false;
    const reader = async (place) => {
      while (!isOver) {
        await this.#balanced(place, (at) => this.read(at, id));
        answered += 1;
      }
    };
    const writer = async () => {
      for (; !isOver; version++) {
        const current = version;
        await this.#balanced(current % 2, (at) => this.write(at, id, current));
        answered += 1;
      }
    };
    const load = [...Array.from({ length: clientCount }, (_, index) => reader(index % 2)), writer()];
    const work = async () => {
      const more = () => {
        const goal = answered + share;
        return this.until(() => answered >= goal);
      };
      await more();
      for (const place of [0, 1]) {
        await this.#restart(place);
        await more();
      }
    };
    await Promise.race([work(), Promise.all(load)]);
    isOver = true;
    await Promise.all(load);
    for (const place of [0, 1]) {
      await this.until(async () => (await this.read(place, id)) === version - 1);
    }
    return answered;
  }

  /** @param {() => boolean | Promise<boolean>} condition */
  async until(condition) {
    const end = performance.now() + 60_000;
    while (!(await condition())) {
      assert.ok(performance.now() < end, "expected the condition to hold within a minute");
      await setTimeout(5);
    }
  }

  async end() {
    await Promise.all(this.#servers.map((server) => this.#stop(server)));
  }

  async #launch() {
    const { child, ended, prints } = start(this.#command, { env: { ...this.#env, PORT: "0" } });
    const [address] = await prints(/http:\/\/127\.0\.0\.1:[1-9]\d*/);
    return { child, ended, address, newest: 0 };
  }

  /** Starts the successor after the end, so that meanwhile all requests go to the other instance. */
  async #restart(place) {
    await this.#stop(this.#servers[place]);
    this.#servers[place] = await this.#launch();
  }

  async #stop(server) {
    server.child.kill("SIGTERM");
    await server.ended.catch((error) => {
      // Next ends with the code of a program that SIGTERM ended.
      if (server.child.exitCode !== 143) throw error;
    });
  }

  async #balanced(place, use) {
    try {
      return await use(place);
    } catch (error) {
      if (!isRefused(error)) throw error;
      return await use(1 - place);
    }
  }

  /** @returns {Promise<{ status: number | undefined, body: string }>} */
  #ask(address, path, { method, body }) {
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, address), { agent: false, method }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => {
          text += part;
        });
        response.once("error", (cause) => reject(new Error("The answer was incomplete", { cause })));
        response.once("end", () => resolve({ status: response.statusCode, body: text }));
      });
      sent.once("error", reject);
      sent.end(body);
    });
  }
}

/** Whether a server that ends has not accepted a request. */
function isRefused(error) {
  return ["ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(error.code);
}
