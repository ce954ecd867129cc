import type { HeldLease, LeaseAnswer, LeasedRecord, LeaseRequest, Leases } from "../storage/leases.js";
import { checkKeysOf } from "../storage/stored-key.js";
import type { Acquisition, Driver } from "./driver.js";
import { operationNames } from "./operation-names.js";
import { randomText } from "./random-text.js";
import type { StorageCalls } from "./storage-calls.js";
import { wholeMilliseconds, withWholeTimes } from "./whole-milliseconds.js";

/** The methods of a driver that leases need. */
export type LeaseDriver = Required<Pick<Driver, "acquire" | "fill" | "release">> & Pick<Driver, "isToken">;

/** The form of the tokens that the storage draws. */
const tokenForm = /^[0-9a-f]{32}$/;

/** Checks keys, draws tokens, and answers for foreign tokens. */
export class DriverLeases implements Leases {
  readonly #label: string;
  readonly #driver: LeaseDriver;
  readonly #calls: StorageCalls;

  constructor(label: string, driver: LeaseDriver, calls: StorageCalls) {
    this.#label = label;
    this.#driver = driver;
    this.#calls = calls;
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    checkKeysOf(requests, this.#label);
    if (requests.length === 0) return [];
    const wanted = requests.map(
      ({ key, duration, steal = false }): Acquisition => ({
        key,
        duration: wholeMilliseconds(duration),
        steal,
        token: randomText("hex"),
      }),
    );
    return this.#calls.run(operationNames.acquire, (call) => this.#driver.acquire(wanted, call));
  }

  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    checkKeysOf(records, this.#label);
    const ours = withWholeTimes(this.#ours(records));
    if (ours.length === 0) return records.map(() => false);
    const stored = await this.#calls.run(operationNames.fill, (call) => this.#driver.fill(ours, call));
    if (ours.length === records.length) return stored;
    let place = 0;
    return records.map(({ token }) => this.#isOurs(token) && stored[place++] === true);
  }

  async release(leases: readonly HeldLease[]): Promise<void> {
    checkKeysOf(leases, this.#label);
    const ours = this.#ours(leases);
    if (ours.length === 0) return;
    await this.#calls.run(operationNames.release, (call) => this.#driver.release(ours, call));
  }

  #ours<L extends HeldLease>(leases: readonly L[]): readonly L[] {
    return leases.every(({ token }) => this.#isOurs(token))
      ? leases
      : leases.filter(({ token }) => this.#isOurs(token));
  }

  /**
   * Returns whether the token has the storage's or the driver's form. No lease has another form,
   * and a database may refuse such a token.
   */
  #isOurs(token: string): boolean {
    return this.#driver.isToken?.(token) ?? tokenForm.test(token);
  }
}
