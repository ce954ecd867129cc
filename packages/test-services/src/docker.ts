import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { Guardian, quote } from "./guardian.js";
import { type ReservedPort, reservePort } from "./port.js";
import { untilReady } from "./ready.js";
import type { Server } from "./service.js";
import type { ServiceDefinition } from "./service-definition.js";

const run = promisify(execFile);

/** Whether there is a Docker client and an engine that answers it. */
export function dockerAnswers(): boolean {
  const asked = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], { timeout: 5000 });
  return asked.status === 0;
}

/** A server of our own in a container: what `server()` gives where only Docker is there. */
export class ServerContainer implements Omit<Server, "proxy"> {
  readonly url: string;
  readonly port: number;
  readonly #definition: ServiceDefinition;
  readonly #name: string;
  readonly #reserved: ReservedPort;
  readonly #guardian = new Guardian();

  private constructor(definition: ServiceDefinition, reserved: ReservedPort) {
    this.#definition = definition;
    this.#reserved = reserved;
    this.#name = `cacheme-test-${definition.title.toLowerCase()}-${process.pid}-${reserved.port}`;
    this.port = reserved.port;
    this.url = definition.url(reserved.port);
  }

  static async start(definition: ServiceDefinition): Promise<ServerContainer> {
    const container = new ServerContainer(definition, await reservePort());
    try {
      await container.#create();
      return container;
    } catch (error) {
      await container.stop();
      throw error;
    }
  }

  async kill(): Promise<void> {
    if (await this.#isRunning()) await run("docker", ["kill", "--signal", "KILL", this.#name]);
  }

  async restart(): Promise<void> {
    await this.kill();
    await run("docker", ["start", this.#name]);
    await this.#untilReady();
  }

  async pause(): Promise<void> {
    await run("docker", ["pause", this.#name]);
  }

  async resume(): Promise<void> {
    await run("docker", ["unpause", this.#name]);
  }

  async stop(): Promise<void> {
    await run("docker", ["rm", "--force", "--volumes", this.#name]).catch(() => undefined);
    this.#guardian.dismiss();
    this.#reserved.release();
  }

  async #create(): Promise<void> {
    const name = quote(this.#name);
    this.#guardian.leave(`docker rm --force --volumes ${name}; rm -f ${quote(this.#reserved.mark)}`);
    const { image, containerPort } = this.#definition;
    const place = { host: "0.0.0.0", port: containerPort, folder: "/data" };
    const published = `127.0.0.1:${this.port}:${containerPort}`;
    const program = [this.#definition.binaries[0] ?? "", ...this.#definition.arguments(place)];
    await run("docker", ["run", "--detach", "--name", this.#name, "--publish", published, image, ...program]);
    await this.#untilReady();
  }

  #untilReady(): Promise<void> {
    const log = (): string => spawnSync("docker", ["logs", "--tail", "20", this.#name]).stdout.toString();
    return untilReady(this.#definition, this.port, { alive: () => true, log });
  }

  async #isRunning(): Promise<boolean> {
    const format = ["--format", "{{.State.Running}}"];
    return (await run("docker", ["inspect", ...format, this.#name])).stdout.trim() === "true";
  }
}
