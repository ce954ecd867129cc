import { randomUUID } from "node:crypto";
import type { ConnectionOptions, RemoteStorage } from "cacheme/driver";
import type { Capabilities } from "./capabilities.js";
import type { ComplianceOptions } from "./compliance-options.js";
import type { ComplianceServer } from "./compliance-server.js";

/** Most tests are about answers and not about time: a machine that is busy shall not fail them. */
const patient = { commandTimeout: "30s", connectTimeout: "30s" } as const;

/** The storage under test, for as long as the suite runs. */
export class Subject {
  readonly capabilities: Capabilities;
  readonly #options: ComplianceOptions;
  #server: Promise<ComplianceServer> | undefined;
  #storage: Promise<RemoteStorage> | undefined;

  constructor(options: ComplianceOptions) {
    this.#options = options;
    this.capabilities = options.capabilities ?? {};
  }

  /** One storage for all tests that do it no harm. */
  storage(): Promise<RemoteStorage> {
    this.#storage ??= this.create().then(async (storage) => {
      await storage.connect();
      return storage;
    });
    return this.#storage;
  }

  /** The server, where the suite was given one. */
  server(): Promise<ComplianceServer> {
    const { server } = this.#options;
    if (server === undefined) throw new Error("This test needs a server.");
    this.#server ??= Promise.resolve(server());
    return this.#server;
  }

  /** A further storage, not yet connected. */
  async create(options: ConnectionOptions = {}, url?: string): Promise<RemoteStorage> {
    const where = url ?? (this.#options.server === undefined ? "" : (await this.server()).url);
    return this.#options.create({ ...patient, ...options, url: where });
  }

  async close(): Promise<void> {
    const storage = await this.#storage?.catch(() => undefined);
    await storage?.close();
  }
}

/** What one test is given: keys that no other test uses, and whatever it makes is closed after it. */
export class Trial {
  readonly capabilities: Capabilities;
  readonly storage: RemoteStorage;
  readonly #subject: Subject;
  readonly #space: string = randomUUID().slice(0, 8);
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor(subject: Subject, storage: RemoteStorage) {
    this.#subject = subject;
    this.capabilities = subject.capabilities;
    this.storage = storage;
  }

  /** Runs a test with the storage of the suite. */
  static async run(subject: Subject, test: (trial: Trial) => Promise<void>): Promise<void> {
    const trial = new Trial(subject, await subject.storage());
    try {
      await test(trial);
    } finally {
      for (const close of trial.#closers.reverse()) await close();
    }
  }

  /** A key of this test's own. */
  readonly key = (name: string): string => `${this.#space}:${name}`;

  /** A further storage, connected. */
  async connected(options: ConnectionOptions = {}, url?: string): Promise<RemoteStorage> {
    const storage = await this.unconnected(options, url);
    await storage.connect();
    return storage;
  }

  /** A further storage, not yet connected. */
  async unconnected(options: ConnectionOptions = {}, url?: string): Promise<RemoteStorage> {
    const storage = await this.#subject.create(options, url);
    this.#closers.push(() => storage.close());
    return storage;
  }

  server(): Promise<ComplianceServer> {
    return this.#subject.server();
  }

  /** Something else to do when the test has ended. */
  after(act: () => Promise<unknown>): void {
    this.#closers.push(act);
  }
}
