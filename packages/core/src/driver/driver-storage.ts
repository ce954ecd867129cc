import type { Generations } from "../storage/generations.js";
import type { KeyPattern } from "../storage/key-pattern.js";
import type { Leases } from "../storage/leases.js";
import type {
  RemoteStorage,
  ServerRun,
  ServerRuns,
  StorageInfo,
  StoredRecord,
  StoredTouch,
} from "../storage/remote-storage.js";
import { checkKeys, checkKeysOf } from "../storage/stored-key.js";
import type { ConnectionSettings } from "./connection-options.js";
import type { Driver } from "./driver.js";
import { DriverGenerations, type GenerationDriver } from "./driver-generations.js";
import { DriverLeases, type LeaseDriver } from "./driver-leases.js";
import { operationNames } from "./operation-names.js";
import { storeFitting } from "./record-limits.js";
import { StorageCalls } from "./storage-calls.js";
import { Sweeper } from "./sweeper.js";
import { wholeMilliseconds, withWholeTimes } from "./whole-milliseconds.js";

/** The settings of a {@link DriverStorage}. */
export interface DriverSettings extends ConnectionSettings {
  /** The storage's name in messages, such as `couch://localhost:5984`. Never holds a password. */
  readonly label: string;
  /** Milliseconds between two sweeps, for a driver that sweeps. Default: one minute. */
  readonly sweepInterval?: number | undefined;
}

const usualSweepInterval = 60_000;

/**
 * A `RemoteStorage` made of a {@link Driver}. It does the work that is the same for every database:
 *
 * - checks keys, and refuses the whole batch with a `KeyError` if a key is invalid;
 * - answers an empty batch without a call;
 * - sends each key once: if two records have one key, the later one is stored;
 * - sends no record that the driver refuses, and names it in a `BatchError`;
 * - rounds times down to whole milliseconds, and draws the tokens of leases and the ids of
 *   generations;
 * - opens the driver once, gives each call its deadline, and closes the driver when the last call
 *   has settled;
 * - turns each error into a `StorageError` with the storage's label, the operation, the reason and
 *   a remedy;
 * - sweeps in the background, and tries a new server if the driver has a trial.
 *
 * Every call rejects with `CACHEME_CONNECT_FAILED` if the database could not be reached. It rejects
 * with `CACHEME_CONNECT_REFUSED` or `CACHEME_UNSUPPORTED_SERVER` if the database was reached but
 * cannot be used. It rejects with `CACHEME_STORAGE_FAILED` if the database answered with an error
 * or not in time. It rejects with `CACHEME_INVALID_KEY` for an invalid key, and with
 * `CACHEME_CLOSED` after `close()`.
 *
 * @example
 * ```ts
 * export function couch(options: CouchOptions): RemoteStorage {
 *   const settings = checked(options); // label, connect, commandTimeout, connectTimeout
 *   return new DriverStorage(new CouchDriver(settings), settings);
 * }
 * ```
 */
export class DriverStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly timePrecision: number | undefined;
  readonly deadline: number | undefined;
  readonly generations: Generations | undefined;
  readonly touchMany: RemoteStorage["touchMany"];
  readonly scan: RemoteStorage["scan"];
  readonly info: RemoteStorage["info"];
  readonly runs: ServerRuns | undefined;
  readonly #driver: Driver;
  readonly #calls: StorageCalls;
  readonly #leases: Leases | undefined;

  constructor(driver: Driver, settings: DriverSettings) {
    const { label, sweepInterval = usualSweepInterval } = settings;
    this.label = label;
    this.timePrecision = driver.timePrecision;
    this.deadline = settings.deadline;
    this.#driver = driver;
    const calls = this.#makeCalls(settings, sweepInterval);
    this.#calls = calls;
    this.#leases = hasLeases(driver) ? new DriverLeases({ label, driver, calls }) : undefined;
    this.generations = hasGenerations(driver) ? new DriverGenerations({ label, driver, calls }) : undefined;
    this.touchMany = driver.touch === undefined ? undefined : (touches) => this.#touch(touches);
    this.scan = driver.scan === undefined ? undefined : (pattern) => this.#scan(pattern);
    this.info = driver.info === undefined ? undefined : () => this.#info();
    this.runs = hasRuns(driver) ? runsOf(driver, calls) : undefined;
  }

  get lacks(): RemoteStorage["lacks"] {
    return this.#driver.lacks;
  }

  /**
   * The leases. `undefined` if the driver gives a reason not to use its leases. It may find the
   * reason while opening.
   */
  get leases(): Leases | undefined {
    return this.#driver.lacks?.leases === undefined ? this.#leases : undefined;
  }

  connect(): Promise<void> {
    return this.#calls.connect();
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  async ping(): Promise<void> {
    await this.#calls.run(operationNames.ping, (call) => this.#driver.ping(call));
  }

  time(): Promise<number> {
    return this.#calls.run(operationNames.time, (call) => this.#driver.time(call));
  }

  /**
   * Reads the keys. On this hot path, one pass over the keys is all for a driver that answers
   * repeated keys.
   */
  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return [];
    if (keys.length === 1 || this.#driver.takesRepeatedKeys?.read === true) return this.#read(keys);
    const unique = new Set(keys);
    if (unique.size === keys.length) return this.#read(keys);
    const asked = [...unique];
    const found = await this.#read(asked);
    const byKey = new Map(asked.map((key, index) => [key, found[index]]));
    return keys.map((key) => byKey.get(key));
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    checkKeysOf(records, this.label);
    if (records.length === 0) return;
    const takesRepeated = records.length === 1 || this.#driver.takesRepeatedKeys?.write === true;
    const last = withWholeTimes(takesRepeated ? records : lastOfEachKey(records));
    await this.#calls.run(operationNames.write, (call) =>
      storeFitting(this.#driver, last, (fitting) => this.#driver.write(fitting, call)),
    );
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return 0;
    const unique = keys.length === 1 ? keys : [...new Set(keys)];
    return this.#calls.run(operationNames.remove, (call) => this.#driver.remove(unique, call));
  }

  async #touch(touches: readonly StoredTouch[]): Promise<readonly boolean[]> {
    checkKeysOf(touches, this.label);
    if (touches.length === 0) return [];
    const longest = new Map<string, number>();
    for (const { key, ttl } of touches)
      longest.set(key, Math.max(longest.get(key) ?? 0, wholeMilliseconds(ttl)));
    const asked = Array.from(longest, ([key, ttl]) => ({ key, ttl }));
    const answers = await this.#calls.run(
      operationNames.touch,
      async (call) => await this.#driver.touch?.(asked, call),
    );
    if (asked.length === touches.length) return answers ?? [];
    const found = new Map(asked.map(({ key }, index) => [key, answers?.[index] === true]));
    return touches.map(({ key }) => found.get(key) === true);
  }

  #read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#calls.run(operationNames.read, (call) => this.#driver.read(keys, call));
  }

  async *#scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    const pages = this.#driver.scan?.(pattern, (read) => this.#calls.run(operationNames.scan, read));
    for await (const page of pages ?? []) {
      const matching = page.filter((key) => pattern.matches(key));
      if (matching.length > 0) yield matching;
    }
  }

  #info(): Promise<StorageInfo> {
    return this.#calls.run(operationNames.info, async (call) => {
      const info = await this.#driver.info?.(call);
      return info ?? { server: this.label };
    });
  }

  #makeCalls(settings: DriverSettings, sweepInterval: number): StorageCalls {
    const driver = this.#driver;
    const { errors = {}, trial } = driver;
    const sweeper = driver.sweep && new Sweeper(sweepInterval, () => this.#sweep());
    return new StorageCalls({
      ...settings,
      async open(signal) {
        await driver.open(signal);
        sweeper?.start();
      },
      async shut() {
        await sweeper?.stop();
        await driver.close();
      },
      ...errors,
      refusalAdvice: (error) => errors.remedyFor?.(error),
      trial: trial && {
        storage: this,
        passes: (error) => errors.isFull?.(error) === true,
        remedyFor: (error) => errors.remedyFor?.(error),
        ...trial,
      },
    });
  }

  #sweep(): Promise<boolean> {
    return this.#calls.run(operationNames.sweep, async (call) => (await this.#driver.sweep?.(call)) === true);
  }
}

function lastOfEachKey(records: readonly StoredRecord[]): readonly StoredRecord[] {
  const last = new Map<string, StoredRecord>();
  for (const record of records) last.set(record.key, record);
  return last.size === records.length ? records : [...last.values()];
}

function hasLeases(driver: Driver): driver is Driver & LeaseDriver {
  const { acquire, fill, release, extend } = driver;
  return [acquire, fill, release, extend].every((method) => method !== undefined);
}

function hasGenerations(driver: Driver): driver is Driver & GenerationDriver {
  return driver.ensure !== undefined && driver.bump !== undefined;
}

type RunDriver = Driver & Required<Pick<Driver, "run">>;

function hasRuns(driver: Driver): driver is RunDriver {
  return driver.run !== undefined;
}

function runsOf(driver: RunDriver, calls: StorageCalls): ServerRuns {
  return {
    get connections() {
      return driver.connections ?? 0;
    },
    current: (): Promise<ServerRun> => calls.run(operationNames.run, (call) => driver.run(call)),
  };
}
