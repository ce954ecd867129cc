/** The part of a storage that a program uses to show that the storage does not keep it alive. */
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

/** Creates a storage for an address, as the packages' functions do. */
export type MakeIdleStorage = (url: string, options?: IdleOptions) => IdleStorage;

/** The uses of a storage. A scenario closes its storage only if its name says so. */
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
    // Sinon fakes the real one, and then Node's own streams emit nothing.
    const { nextTick } = process;
    process.nextTick = neverTick;
    await storage.close();
    process.nextTick = nextTick;
  },
};

/**
 * Replaces `process` as Jest does: the test gets a copy with a fake, and Node keeps the real one.
 */
function fakeCopiedProcess(): void {
  const copy: NodeJS.Process = Object.create(process);
  copy.nextTick = neverTick;
  globalThis.process = copy;
}

/** A `process.nextTick` of fake timers that do not advance. */
const neverTick: NodeJS.Process["nextTick"] = () => {};

/**
 * Runs a whole program that uses a storage, has nothing more to do, and must therefore end. Its
 * first argument names the scenario, the second is the address; it prints the result. For
 * `describeIdlePrograms`.
 */
export async function runIdleScenario(make: MakeIdleStorage): Promise<void> {
  const [, , scenario = "", url = ""] = process.argv;
  // describeIdlePrograms passes no other name.
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
