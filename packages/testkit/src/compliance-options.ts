import type { ConnectionOptions, RemoteStorage } from "cacheme/driver";
import type { Capabilities } from "./capabilities.js";
import type { ComplianceServer } from "./compliance-server.js";

/** The storage to test, its server and its capabilities. */
export interface ComplianceOptions {
  /** The storage's name in the report, such as `@acme/couch`. */
  readonly name: string;
  /**
   * Creates a storage that is not connected yet. The suite calls it many times, and closes each
   * storage. All of them must be clients of the same data: the same server, folder or file, empty
   * at first.
   */
  create(options: CreateOptions): RemoteStorage | Promise<RemoteStorage>;
  /**
   * Starts or finds the server of the storages. The suite calls it once, before the first test that
   * needs it. Leave it out for a storage without a server: the suite then tests no failures of
   * server and network.
   */
  readonly server?: (() => ComplianceServer | Promise<ComplianceServer>) | undefined;
  /** The capabilities that the storage does not support, or only in part. */
  readonly capabilities?: Capabilities | undefined;
}

/** The options for a new storage: those that every storage has, and the address. */
export interface CreateOptions extends ConnectionOptions {
  /** The address of the server or of a proxy before it; empty if the suite has no server. */
  readonly url: string;
}
