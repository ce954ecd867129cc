// A storage of somebody's own, and a server for its tests.

import type { ComplianceServer } from "@cacheme/testkit";
import type { ConnectionOptions, RemoteStorage } from "cacheme/driver";

export declare function couch(url: string, options?: ConnectionOptions): RemoteStorage;

export declare function startCouch(): Promise<ComplianceServer>;
