import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./folder.js";
import { Guardian, quote } from "./guardian.js";
import { type ReservedPort, reservePort } from "./port.js";
import { untilReady } from "./ready.js";
import type { Server } from "./service.js";
import type { ServiceDefinition } from "./service-definition.js";

/** A server of our own as a child process: what `server()` gives where the program is installed. */
export class ServerProcess implements Omit<Server, "proxy"> {
  readonly url: string;
  readonly port: number;
  readonly #definition: ServiceDefinition;
  readonly #binary: string;
  readonly #reserved: ReservedPort;
  readonly #folder: string;
  readonly #guardian = new Guardian();
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  private constructor(definition: ServiceDefinition, binary: string, reserved: ReservedPort) {
    this.#definition = definition;
    this.#binary = binary;
    this.#reserved = reserved;
    this.#folder = temporaryFolder(definition.title.toLowerCase());
    this.port = reserved.port;
    this.url = definition.url(reserved.port);
  }

  static async start(definition: ServiceDefinition, binary: string): Promise<ServerProcess> {
    const server = new ServerProcess(definition, binary, await reservePort());
    try {
      await server.#launch();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  async pause(): Promise<void> {
    this.#child?.kill("SIGSTOP");
    await this.#untilStopped();
  }

  async resume(): Promise<void> {
    this.#child?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#guardian.dismiss();
    rmSync(this.#folder, { recursive: true, force: true });
    this.#reserved.release();
  }

  async #launch(): Promise<void> {
    // Opening for writing empties the log: what an earlier run said must not be taken for this one's words.
    const log = openSync(this.#log, "w");
    const place = { host: "127.0.0.1", port: this.port, folder: this.#folder };
    const child = spawn(this.#binary, [...this.#definition.arguments(place)], {
      cwd: this.#folder,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const gone = (): void => {
        if (this.#child === child) this.#child = undefined;
        this.#guardian.leave(this.#cleanup());
        resolve();
      };
      child.once("exit", gone);
      child.once("error", gone);
    });
    this.#guardian.leave(this.#cleanup());
    // A server that hangs shall not keep a finished test process alive; the guardian ends it then.
    child.unref();
    await untilReady(this.#definition, this.port, {
      alive: () => this.#child === child,
      log: () => readFileSync(this.#log, "utf8"),
    });
  }

  get #log(): string {
    return join(this.#folder, "server.log");
  }

  #cleanup(): string {
    const kill = this.#child?.pid === undefined ? "" : `kill -9 ${this.#child.pid}; `;
    return `${kill}rm -rf ${quote(this.#folder)} ${quote(this.#reserved.mark)}`;
  }

  /** SIGSTOP takes effect a moment after it is sent. Linux tells when; elsewhere that moment is not waited for. */
  async #untilStopped(): Promise<void> {
    const pid = this.#child?.pid;
    if (process.platform !== "linux" || pid === undefined) return;
    const state = (): string | undefined =>
      / ([A-Za-z]) /.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1];
    while (state() !== "T") await new Promise((resolve) => setImmediate(resolve));
  }
}
