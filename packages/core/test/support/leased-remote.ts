import type { Clock } from "../../src/clock.js";
import type {
  HeldLease,
  LeaseAnswer,
  LeasedRecord,
  LeaseExtension,
  LeaseRequest,
  Leases,
} from "../../src/storage/leases.js";
import { SimulatedRemote } from "./simulated-remote.js";

let tokens = 0;

/** A simulated remote storage that supports leases. */
export class LeasedRemote extends SimulatedRemote {
  readonly leases: Leases;

  /** @param sameServer another client of this client's server */
  constructor(clock: Clock, sameServer?: LeasedRemote) {
    super(clock, sameServer);
    const each =
      <L extends { readonly key: string }, A>(
        operation: "acquire" | "fill" | "release" | "extend",
        answer: (lease: L) => A,
      ) =>
      async (leases: readonly L[]): Promise<readonly A[]> => {
        const keys = leases.map(({ key }) => key);
        return await this.carryOut(operation, keys, () => leases.map(answer));
      };
    this.leases = {
      acquire: each("acquire", (request: LeaseRequest) => this.#acquire(request)),
      fill: each("fill", (record: LeasedRecord) => {
        const isOwn = this.#isOwn(record);
        if (isOwn) this.store(record);
        return isOwn;
      }),
      release: each("release", (lease: HeldLease) => this.#isOwn(lease) && this.held.delete(lease.key)),
      extend: each("extend", (lease: LeaseExtension) => {
        const isOwn = this.#isOwn(lease);
        if (isOwn) this.#hold(lease.key, lease.token, lease.duration);
        return isOwn;
      }),
    };
  }

  #acquire({ key, duration, steal, seen }: LeaseRequest): LeaseAnswer {
    const record = this.records.get(key);
    const isFresh = record !== undefined && (record.freshUntil ?? record.until) > this.now();
    if (!steal && isFresh && !(seen && Buffer.from(seen).equals(record.bytes)))
      return { outcome: "fresh", bytes: record.bytes };
    if (!steal && (this.held.get(key)?.until ?? 0) > this.now()) return { outcome: "held" };
    tokens += 1;
    const token = `token${tokens}`;
    this.#hold(key, token, duration);
    return { outcome: "granted", token, at: this.now() };
  }

  #hold(key: string, token: string, duration: number): void {
    this.held.set(key, { token, until: this.now() + duration });
  }

  #isOwn({ key, token }: HeldLease): boolean {
    return this.held.get(key)?.token === token;
  }
}
