/** The part of a storage that the tests of storages on this machine's disk use. */
export interface DiskStorage {
  readonly label: string;
  connect(): Promise<void>;
  close(): Promise<void>;
  readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  writeMany(records: readonly DiskRecord[]): Promise<void>;
  readonly leases?: DiskLeases | undefined;
  readonly generations?: DiskGenerations | undefined;
}

export interface DiskRecord {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly ttl: number | undefined;
  readonly freshFor?: number | undefined;
}

interface DiskLeases {
  acquire(
    requests: readonly { readonly key: string; readonly duration: number; readonly steal?: boolean }[],
  ): Promise<
    readonly (
      | { readonly outcome: "granted"; readonly token: string }
      | { readonly outcome: "held" | "fresh" }
    )[]
  >;
  fill(records: readonly (DiskRecord & { readonly token: string })[]): Promise<readonly boolean[]>;
}

interface DiskGenerations {
  ensure(keys: readonly string[], ttl: undefined): Promise<readonly { readonly id: string }[]>;
  bump(keys: readonly string[], ttl: undefined): Promise<unknown>;
}

/** Keys for which the processes of a race compete. */
export const racedKeys: readonly string[] = Array.from({ length: 100 }, (_, index) => `lease:${index}`);

/** Increments of each process that counts. */
export const increments = 25;
