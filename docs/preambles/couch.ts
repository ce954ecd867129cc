// A user's own storage, and a server for its tests.
export declare function couch(
  url: string,
  options?: import("cacheme/driver").ConnectionOptions,
): import("cacheme/driver").RemoteStorage;

export declare function startCouch(): Promise<import("@cacheme/testkit").ComplianceServer>;
