import { beforeEach, describe, expect, it, vi } from "vitest";
import { type ConnectionPool, type LendingCall, openingCall, PoolLender } from "../../src/driver.js";
import { reason } from "../support/reason.js";

interface Connection {
  readonly name: number;
}

/** A call whose deadline a test lets pass. */
class Call implements LendingCall {
  isLate = false;
  readonly #listeners: (() => void)[] = [];

  whenLate(listener: () => void): void {
    this.#listeners.push(listener);
  }

  unreachable(error: unknown): unknown {
    return new Error("unreachable", { cause: error });
  }

  passDeadline(): void {
    this.isLate = true;
    for (const listener of this.#listeners) listener();
  }
}

/** A pool that lends the connection that was given back last, or a new one. */
class Pool implements ConnectionPool<Connection> {
  readonly max = 2;
  readonly idle: Connection[] = [];
  readonly destroyed: number[] = [];
  made = 0;
  take = async (): Promise<Connection> => this.idle.pop() ?? { name: ++this.made };
  giveBack = (connection: Connection): void => void this.idle.push(connection);
  destroy = ({ name }: Connection): void => void this.destroyed.push(name);
  isLost = (error: unknown): boolean => (error as Error).message === "lost";
}

const never = (): Promise<never> => new Promise(() => {});
const nameOf = async ({ name }: Connection): Promise<number> => name;

describe("a lender of a pool's connections", () => {
  let pool: Pool;
  let lender: PoolLender<Connection>;
  beforeEach(() => {
    pool = new Pool();
    lender = new PoolLender(pool);
  });

  /** Makes a call that never ends. Its deadline passes after another act. */
  async function hangsAndIsLate(meanwhile: () => Promise<unknown>): Promise<void> {
    const call = new Call();
    const started = vi.fn(never);
    void lender.use(call, started);
    await vi.waitFor(() => expect(started).toHaveBeenCalled());
    await meanwhile();
    call.passDeadline();
  }

  it("lends a connection for as long as a call uses it, and then to the next call", async () => {
    expect(await lender.use(new Call(), nameOf)).toBe(1);
    expect(await lender.use(new Call(), nameOf)).toBe(1);
    expect(pool.destroyed).toEqual([]);
  });

  it("asks the pool for no more connections than it has, and serves the waiting calls in order", async () => {
    const ends: (() => void)[] = [];
    const served: string[] = [];
    const call = (name: string): Promise<unknown> =>
      lender.use(new Call(), () => {
        served.push(name);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    const calls = ["a", "b", "c", "d"].map(call);
    await vi.waitFor(() => expect(served).toEqual(["a", "b"]));
    ends[0]?.();
    await vi.waitFor(() => expect(served).toEqual(["a", "b", "c"]));
    for (const end of ends) end();
    await vi.waitFor(() => expect(served).toEqual(["a", "b", "c", "d"]));
    ends.at(-1)?.();
    await Promise.all(calls);
    expect(pool.made).toBe(2);
  });

  it("lets a late call leave the queue, without a connection", async () => {
    const [first, second, waiting] = [new Call(), new Call(), new Call()];
    const started = vi.fn(never);
    void lender.use(first, started);
    void lender.use(second, started);
    await vi.waitFor(() => expect(started).toHaveBeenCalledTimes(2));
    void lender.use(waiting, () => Promise.reject(new Error("a late call was served")));
    waiting.passDeadline();
    first.passDeadline();
    expect(await lender.use(new Call(), nameOf)).toBe(3);
  });

  it("destroys the connection of a late call, and each that has not answered since it began", async () => {
    await Promise.all([lender.use(new Call(), nameOf), lender.use(new Call(), nameOf)]);
    expect(pool.idle.map(({ name }) => name)).toEqual([1, 2]);
    await hangsAndIsLate(async () => {});
    expect(pool.destroyed).toEqual([2]);
    expect(await lender.use(new Call(), nameOf)).toBe(3);
    expect(pool.destroyed).toEqual([2, 1]);
    await hangsAndIsLate(async () => expect(await lender.use(new Call(), nameOf)).toBe(4));
    expect(await lender.use(new Call(), nameOf)).toBe(4);
    expect(pool.destroyed).toEqual([2, 1, 3]);
  });

  it("destroys a connection that an error has lost, and keeps it after other errors", async () => {
    const failing = (message: string) =>
      reason(lender.use(new Call(), () => Promise.reject(new Error(message))));
    expect(await failing("refused")).toMatchObject({ message: "refused" });
    expect(pool.destroyed).toEqual([]);
    expect(await failing("lost")).toMatchObject({ message: "lost" });
    expect(pool.destroyed).toEqual([1]);
    expect(await lender.use(new Call(), nameOf)).toBe(2);
  });

  it("gives back a connection that comes after the call's deadline", async () => {
    const call = new Call();
    const used = lender.use(call, nameOf);
    call.passDeadline();
    await expect(used).rejects.toThrow("given up");
    expect(pool.idle).toHaveLength(1);
    await expect(lender.use(call, nameOf)).rejects.toThrow("given up");
  });

  it("reports a server that cannot be reached as the call does, and goes on", async () => {
    pool.take = () => Promise.reject(new Error("refused"));
    for (let time = 0; time < 3; time++) {
      await expect(lender.use(new Call(), nameOf)).rejects.toThrow("unreachable");
    }
    pool.take = async () => ({ name: 7 });
    expect(await lender.use(new Call(), nameOf)).toBe(7);
  });

  it("destroys a connection that must not be used, before and after a call", async () => {
    let refusal: Error | undefined = new Error("open transaction");
    Object.assign(pool, {
      prepare: () => refusal,
      refuse: () => refusal,
      isLost: () => refusal !== undefined,
    });
    await expect(lender.use(new Call(), nameOf)).rejects.toMatchObject({ cause: refusal });
    expect(pool.destroyed).toEqual([1]);
    const begun = refusal;
    refusal = undefined;
    const answer = lender.use(new Call(), async () => {
      refusal = begun;
    });
    await expect(answer).rejects.toMatchObject({ message: "unreachable", cause: begun });
    expect(pool.destroyed).toEqual([1, 2]);
    refusal = undefined;
    expect(await lender.use(new Call(), nameOf)).toBe(3);
  });

  it("serves the opening of a driver until its signal aborts", async () => {
    const controller = new AbortController();
    const call = openingCall(controller.signal);
    expect(await lender.use(call, nameOf)).toBe(1);
    const started = vi.fn(never);
    void lender.use(call, started).catch(() => {});
    await vi.waitFor(() => expect(started).toHaveBeenCalled());
    controller.abort();
    expect(pool.destroyed).toEqual([1]);
    const error = new Error("refused");
    expect(call.unreachable(error)).toBe(error);
    await expect(lender.use(call, nameOf)).rejects.toThrow("given up");
  });
});
