import { randomUUID } from "node:crypto";
import type { ConnectionOptions, RemoteStorage } from "cacheme/driver";
import type { Capabilities } from "./capabilities.js";
import type { ComplianceOptions } from "./compliance-options.js";
import type { ComplianceServer } from "./compliance-server.js";

/** The options for tests without time limits: a busy machine must not fail them. */
const patient = { commandTimeout: "30s", connectTimeout: "30s" } as const;

/** The storage under test, shared by the tests of a suite. */
export class Subject {
  readonly capabilities: Capabilities;
  readonly #options: ComplianceOptions;
  #server: Promise<ComplianceServer> | undefined;
  #storage: Promise<RemoteStorage> | undefined;

  constructor(options: ComplianceOptions) {
    this.#options = options;
    this.capabilities = options.capabilities ?? {};
  }

  /** Returns the connected storage that all harmless tests share. */
  storage(): Promise<RemoteStorage> {
    this.#storage ??= this.create().then(async (storage) => {
      await storage.connect();
      return storage;
    });
    return this.#storage;
  }

  /** Returns the server of the suite. */
  server(): Promise<ComplianceServer> {
    const { server } = this.#options;
    if (server === undefined)
      throw new Error('This test needs a server: set the option "server" of the suite.');
    this.#server ??= Promise.resolve(server());
    return this.#server;
  }

  /** Creates another storage that is not connected yet. */
  async create(options: ConnectionOptions = {}, url?: string): Promise<RemoteStorage> {
    const where = url ?? (this.#options.server === undefined ? "" : (await this.server()).url);
    return this.#options.create({ ...patient, ...options, url: where });
  }

  async close(): Promise<void> {
    const storage = await this.#storage?.catch(() => undefined);
    await storage?.close();
  }
}

/** The context of one test: keys that no other test uses, and storages that are closed after it. */
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

  /** Runs a test with the suite's storage. */
  static async run(subject: Subject, test: (trial: Trial) => Promise<void>): Promise<void> {
    const trial = new Trial(subject, await subject.storage());
    try {
      await test(trial);
    } finally {
      for (const close of trial.#closers.reverse()) await close();
    }
  }

  /** Returns a key that no other test uses. */
  readonly key = (name: string): string => `${this.#space}:${name}`;

  /** Creates another storage and connects it. */
  async connected(options: ConnectionOptions = {}, url?: string): Promise<RemoteStorage> {
    const storage = await this.unconnected(options, url);
    await storage.connect();
    return storage;
  }

  /** Creates another storage that is not connected yet. */
  async unconnected(options: ConnectionOptions = {}, url?: string): Promise<RemoteStorage> {
    const storage = await this.#subject.create(options, url);
    this.#closers.push(() => storage.close());
    return storage;
  }

  server(): Promise<ComplianceServer> {
    return this.#subject.server();
  }

  /** Registers a function to run after the test. */
  after(act: () => Promise<unknown>): void {
    this.#closers.push(act);
  }
}
