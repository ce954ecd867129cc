import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { quote } from "../machine/quote.js";
import type { ReservedPort } from "../network/port.js";
import type { ContainerDefinition, ServiceDefinition } from "../services/service-definition.js";
import { Guardian } from "./guardian.js";
import { untilReady } from "./ready.js";
import { type RunningServer, startOnFreePort } from "./running-server.js";
import { slug } from "./slug.js";

const run = promisify(execFile);

/** A server of our own in a Docker container, for a machine without the server's program. */
export class ServerContainer implements RunningServer {
  readonly url: string;
  readonly port: number;
  readonly #definition: ServiceDefinition;
  readonly #container: ContainerDefinition;
  readonly #arguments: readonly string[];
  readonly #name: string;
  readonly #reserved: ReservedPort;
  readonly #guardian = new Guardian();

  private constructor(
    definition: ServiceDefinition,
    container: ContainerDefinition,
    reserved: ReservedPort,
    more: readonly string[],
  ) {
    this.#definition = definition;
    this.#container = container;
    this.#arguments = more;
    this.#reserved = reserved;
    this.#name = `cacheme-test-${slug(definition.title)}-${process.pid}-${reserved.port}`;
    this.port = reserved.port;
    this.url = definition.url(reserved.port);
  }

  /** @param more further words for the command line, after the definition's */
  static async start(definition: ServiceDefinition, more: readonly string[] = []): Promise<ServerContainer> {
    const image = definition.container;
    if (image === undefined) throw new Error(`${definition.title} has no Docker image.`);
    return startOnFreePort(
      (reserved) => new ServerContainer(definition, image, reserved, more),
      (container) => container.#create(),
    );
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
    const { image, port, environment = {}, command } = this.#container;
    const published = `127.0.0.1:${this.port}:${port}`;
    const variables = Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
    const program = [...command({ host: "0.0.0.0", port, folder: "/data" }), ...this.#arguments];
    const place = ["--name", this.#name, "--publish", published];
    await run("docker", ["run", "--detach", ...place, ...variables, image, ...program]);
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
