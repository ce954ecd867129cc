// The user's own storage in docs/storages.md.
export declare function table(held: Map<string, unknown>): import("cacheme/driver").RemoteStorage;
