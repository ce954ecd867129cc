/** What a program needs of a storage to show that it keeps no finished program alive. */
export interface IdleStorage {
  connect(): Promise<void>;
  close(): Promise<void>;
  ping(): Promise<void>;
  readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  writeMany(records: readonly IdleRecord[]): Promise<void>;
}

interface IdleRecord {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly ttl: number;
}

interface IdleOptions {
  readonly connect?: "lazy";
  readonly commandTimeout?: number;
  readonly connectTimeout?: "1h" | "1s";
}

/** Makes a storage at an address, as the packages' functions do. */
export type MakeIdleStorage = (url: string, options?: IdleOptions) => IdleStorage;

/** What a program may do with a storage. None of them closes it, but the one whose name says so. */
export type IdleScenario =
  | "reads"
  | "readsAndCloses"
  | "connectsLazily"
  | "isRefused"
  | "hangs"
  | "readsWithCopiedProcess"
  | "closesWithCopiedProcess"
  | "closesWithFakedProcess"
  | "connectsWithCopiedProcess";

const scenarios: Readonly<Record<IdleScenario, (make: MakeIdleStorage, url: string) => Promise<unknown>>> = {
  async reads(make, url) {
    const storage = make(url);
    await storage.connect();
    await storage.writeMany([{ key: "program", bytes: Buffer.from("value"), ttl: 60_000 }]);
    return (await storage.readMany(["program"])).map((bytes) => Buffer.from(bytes ?? []).toString());
  },
  async readsAndCloses(make, url) {
    const storage = make(url);
    await storage.connect();
    await Promise.all(Array.from({ length: 20 }, () => storage.ping()));
    await storage.close();
  },
  async connectsLazily(make, url) {
    await make(url, { connect: "lazy", connectTimeout: "1h" }).connect();
  },
  async isRefused(make, url) {
    const storage = make(url, { connect: "lazy" });
    await storage.connect();
    await storage.ping();
  },
  async hangs(make, url) {
    const storage = make(url, { connect: "lazy", commandTimeout: 100, connectTimeout: "1h" });
    await storage.connect();
    await storage.ping();
  },
  async readsWithCopiedProcess(make, url) {
    const storage = make(url, { commandTimeout: 1000 });
    await storage.connect();
    fakeCopiedProcess();
    for (let call = 0; call < 3; call++) await storage.ping();
    await storage.close();
  },
  async closesWithCopiedProcess(make, url) {
    const storage = make(url);
    await storage.connect();
    await storage.ping();
    fakeCopiedProcess();
    await storage.close();
  },
  async connectsWithCopiedProcess(make, url) {
    fakeCopiedProcess();
    const storage = make(url, { commandTimeout: 1000, connectTimeout: "1s" });
    let outcome: unknown = "connected";
    await storage.connect().catch((error: { readonly code: unknown }) => {
      outcome = error.code;
    });
    await storage.close();
    return outcome;
  },
  async closesWithFakedProcess(make, url) {
    const storage = make(url);
    await storage.connect();
    await storage.ping();
    // Sinon fakes the true one, and Node's own streams then emit nothing.
    const { nextTick } = process;
    process.nextTick = neverTick;
    await storage.close();
    process.nextTick = nextTick;
  },
};

/** Does what Jest does: a test gets a copy of `process`, and the copy is faked. Node itself goes on with the true one. */
function fakeCopiedProcess(): void {
  const copy: NodeJS.Process = Object.create(process);
  copy.nextTick = neverTick;
  globalThis.process = copy;
}

/** What `process.nextTick` is under fake timers that stand still. */
const neverTick: NodeJS.Process["nextTick"] = () => {};

/**
 * The whole of a program that uses a storage and then has nothing more to do, so that it must end by itself: it does what
 * its first argument names at the address in the second, and prints what came of it. For `describeIdlePrograms`.
 */
export async function runIdleScenario(make: MakeIdleStorage): Promise<void> {
  const [, , scenario = "", url = ""] = process.argv;
  // The other half of this pair names nothing else.
  const act = scenarios[scenario as IdleScenario];
  try {
    print((await act(make, url)) ?? "done");
  } catch (error) {
    print(error instanceof Error && "code" in error ? error.code : String(error));
  }
}

function print(outcome: unknown): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
