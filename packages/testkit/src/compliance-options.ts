import type { ConnectionOptions, RemoteStorage } from "cacheme/driver";
import type { Capabilities } from "./capabilities.js";
import type { ComplianceServer } from "./compliance-server.js";

/** What is tested, and with what. */
export interface ComplianceOptions {
  /** How the report names the storage, such as `@acme/couch`. */
  readonly name: string;
  /**
   * Makes a storage, not yet connected. It is called many times, and all that it makes are clients of the same data: the
   * same server, folder or file, empty at first. The suite closes each of them.
   */
  create(options: CreateOptions): RemoteStorage | Promise<RemoteStorage>;
  /**
   * The server that the storages are on. It is asked for once, when the first test runs. Left out for storages without a
   * server: those cannot be killed or cut off, and are tried without.
   */
  readonly server?: (() => ComplianceServer | Promise<ComplianceServer>) | undefined;
  /** What the storage does not offer, or not in full. */
  readonly capabilities?: Capabilities | undefined;
}

/** What a storage is to be made with: the options that every storage has, and where. */
export interface CreateOptions extends ConnectionOptions {
  /** The server's address, or the address of a proxy before it; empty where the suite was given no server. */
  readonly url: string;
}
