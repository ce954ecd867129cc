import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accountOf } from "../machine/account.js";
import {
  killTree,
  killTreeCommand,
  signalTree,
  untilEnded,
  untilTreeStopped,
} from "../machine/process-tree.js";
import { quote } from "../machine/quote.js";
import { temporaryFolder } from "../machine/temporary-folder.js";
import type { ReservedPort } from "../network/port.js";
import type { ServerPlace, ServiceDefinition } from "../services/service-definition.js";
import { Guardian } from "./guardian.js";
import { untilReady } from "./ready.js";
import { type RunningServer, startOnFreePort } from "./running-server.js";
import { slug } from "./slug.js";
import { layOut } from "./template.js";

/** A server of our own as a child process. */
export class ServerProcess implements RunningServer {
  readonly url: string;
  readonly port: number;
  readonly #definition: ServiceDefinition;
  readonly #binary: string;
  readonly #arguments: readonly string[];
  readonly #reserved: ReservedPort;
  readonly #folder: string;
  readonly #guardian = new Guardian();
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  private constructor(
    definition: ServiceDefinition,
    binary: string,
    reserved: ReservedPort,
    more: readonly string[],
  ) {
    this.#definition = definition;
    this.#binary = binary;
    this.#arguments = more;
    this.#reserved = reserved;
    this.#folder = temporaryFolder(slug(definition.title));
    this.port = reserved.port;
    this.url = definition.url(reserved.port);
  }

  /** @param more further words for the command line, after the definition's */
  static async start(
    definition: ServiceDefinition,
    binary: string,
    more: readonly string[] = [],
  ): Promise<ServerProcess> {
    return startOnFreePort(
      (reserved) => new ServerProcess(definition, binary, reserved, more),
      async (server) => {
        server.#furnish();
        await server.#launch();
      },
    );
  }

  async kill(): Promise<void> {
    const pid = this.#child?.pid;
    // The process waits for the child's end, so the child must keep it alive until then.
    this.#child?.ref();
    const killed = pid === undefined ? [] : killTree(pid);
    await this.#exited;
    await untilEnded(killed);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  async pause(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    signalTree(pid, "SIGSTOP");
    await untilTreeStopped(pid);
  }

  async resume(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid !== undefined) signalTree(pid, "SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#guardian.dismiss();
    const leftovers = this.#definition.leftovers?.(this.#folder);
    if (leftovers !== undefined) spawnSync("sh", ["-c", leftovers], { stdio: "ignore" });
    rmSync(this.#folder, { recursive: true, force: true });
    this.#reserved.release();
  }

  /** Fills the folder for the server's first start. */
  #furnish(): void {
    this.#guardian.leave(this.#cleanup());
    layOut(this.#definition, this.#binary, this.#folder);
    const files = this.#definition.files?.(this.#place) ?? {};
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#folder, name), text);
  }

  async #launch(): Promise<void> {
    // Opening the log for writing empties it, so that it has the output of this run only.
    const log = openSync(this.#log, "w");
    const words = [...this.#definition.arguments(this.#place), ...this.#arguments];
    const child = spawn(this.#binary, words, {
      cwd: this.#folder,
      stdio: ["ignore", log, log],
      ...accountOf(this.#definition),
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
    // A hanging server must not keep a finished test process alive. The guardian ends the server
    // then.
    child.unref();
    await untilReady(this.#definition, this.port, {
      alive: () => this.#child === child,
      log: () => readFileSync(this.#log, "utf8"),
    });
  }

  get #place(): ServerPlace {
    return { host: "127.0.0.1", port: this.port, folder: this.#folder };
  }

  get #log(): string {
    return join(this.#folder, "server.log");
  }

  #cleanup(): string {
    const kill = this.#child?.pid === undefined ? ":" : killTreeCommand(this.#child.pid);
    const leftovers = this.#definition.leftovers?.(this.#folder) ?? ":";
    return `${kill}; ${leftovers}; rm -rf ${quote(this.#folder)} ${quote(this.#reserved.mark)}`;
  }
}
