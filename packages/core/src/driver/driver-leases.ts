import type {
  HeldLease,
  LeaseAnswer,
  LeasedRecord,
  LeaseExtension,
  LeaseRequest,
  Leases,
} from "../storage/leases.js";
import { checkKeysOf } from "../storage/stored-key.js";
import type { Acquisition, Driver } from "./driver.js";
import type { DriverParts } from "./driver-parts.js";
import { operationNames } from "./operation-names.js";
import { randomText } from "./random-text.js";
import { storeFitting } from "./record-limits.js";
import { wholeMilliseconds, withWholeTimes } from "./whole-milliseconds.js";

/** The methods of a driver that leases need. */
export type LeaseDriver = Required<Pick<Driver, "acquire" | "fill" | "release" | "extend">> &
  Pick<Driver, "isToken" | "refusalOf">;

/** The form of the tokens that the storage draws. */
const tokenForm = /^[0-9a-f]{32}$/;

/** Checks keys, draws tokens, and answers for foreign tokens. */
export class DriverLeases implements Leases {
  readonly #parts: DriverParts<LeaseDriver>;

  constructor(parts: DriverParts<LeaseDriver>) {
    this.#parts = parts;
  }

  async acquire(requests: readonly LeaseRequest[], isBulk?: boolean): Promise<readonly LeaseAnswer[]> {
    checkKeysOf(requests, this.#parts.label);
    if (requests.length === 0) return [];
    // A driver with tokens of its own does not need one of 0.3 µs.
    const isDrawn = this.#parts.driver.isToken === undefined;
    const wanted = requests.map(
      ({ key, duration, steal = false, seen }): Acquisition => ({
        key,
        duration: wholeMilliseconds(duration),
        steal,
        seen,
        token: isDrawn ? randomText("hex") : "",
      }),
    );
    return this.#parts.calls.run(operationNames.acquire, (call) =>
      this.#parts.driver.acquire(wanted, call, isBulk),
    );
  }

  async fill(records: readonly LeasedRecord[], isBulk?: boolean): Promise<readonly boolean[]> {
    checkKeysOf(records, this.#parts.label);
    return this.#answers(records, (ours) => {
      const whole = withWholeTimes(ours);
      return this.#parts.calls.run(operationNames.fill, (call) =>
        storeFitting(this.#parts.driver, whole, (fitting) => this.#parts.driver.fill(fitting, call, isBulk)),
      );
    });
  }

  async release(leases: readonly HeldLease[]): Promise<readonly boolean[]> {
    checkKeysOf(leases, this.#parts.label);
    return this.#answers(leases, (ours) =>
      this.#parts.calls.run(operationNames.release, (call) => this.#parts.driver.release(ours, call)),
    );
  }

  async extend(leases: readonly LeaseExtension[]): Promise<readonly boolean[]> {
    checkKeysOf(leases, this.#parts.label);
    const wanted = leases.map((lease) => ({ ...lease, duration: wholeMilliseconds(lease.duration) }));
    return this.#answers(wanted, (ours) =>
      this.#parts.calls.run(operationNames.extend, (call) => this.#parts.driver.extend(ours, call)),
    );
  }

  /** Asks the driver about the leases with its tokens, and answers `false` for the others. */
  async #answers<L extends HeldLease>(
    leases: readonly L[],
    ask: (ours: readonly L[]) => Promise<readonly boolean[]>,
  ): Promise<readonly boolean[]> {
    const ours = leases.every(({ token }) => this.#isOurs(token))
      ? leases
      : leases.filter(({ token }) => this.#isOurs(token));
    if (ours.length === 0) return leases.map(() => false);
    const answers = await ask(ours);
    if (ours.length === leases.length) return answers;
    let place = 0;
    return leases.map(({ token }) => this.#isOurs(token) && answers[place++] === true);
  }

  /**
   * Returns whether the token has the storage's or the driver's form. No lease has another form,
   * and a database may refuse such a token.
   */
  #isOurs(token: string): boolean {
    return this.#parts.driver.isToken?.(token) ?? tokenForm.test(token);
  }
}
