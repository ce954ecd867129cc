// The storage of one's own that docs/storages.md shows.
export declare function table(held: Map<string, unknown>): import("cacheme/driver").RemoteStorage;
