import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  connectionSettings,
  noAnswer,
  StorageCalls,
  type StorageCallsOptions,
  Sweeper,
} from "../../src/driver.js";
import { deferred } from "../support/deferred.js";
import { reason } from "../support/reason.js";

vi.mock("../../src/timers.js", () => import("../support/global-timers.js"));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function calls(options: Partial<StorageCallsOptions> = {}) {
  const opened: AbortSignal[] = [];
  const log: string[] = [];
  const made = new StorageCalls({
    ...connectionSettings({ commandTimeout: 1000, connectTimeout: 2000 }, "couch()"),
    label: "couch://here",
    open: async (signal) => void opened.push(signal),
    shut: async () => void log.push("shut"),
    ...options,
  });
  return { calls: made, opened, log };
}

describe("a call", () => {
  it("opens the storage once, before the first", async () => {
    const { calls: storage, opened } = calls();
    expect(
      await Promise.all([storage.run("a read", async () => 1), storage.run("a read", async () => 2)]),
    ).toEqual([1, 2]);
    await storage.connect();
    expect(await storage.run("a read", async () => 3)).toBe(3);
    expect(opened).toHaveLength(1);
  });

  it("opens again after a failed opening", async () => {
    let attempts = 0;
    const open = async () => {
      if (++attempts < 3) throw new Error("connection refused");
    };
    const { calls: storage } = calls({ open });
    const failed = {
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringMatching(/couch:\/\/here could not be opened: connection refused\. Check/),
    };
    expect(await reason(storage.connect())).toMatchObject(failed);
    expect(await reason(storage.run("a read", async () => 1))).toMatchObject(failed);
    expect(await storage.run("a read", async () => 1)).toBe(1);
  });

  it("that has no answer is refused at its deadline, reported to the driver, and its late answer dropped", async () => {
    const { calls: storage } = calls();
    await storage.connect();
    const answer = deferred<string>();
    const giveUp = vi.fn();
    let aborted = false;
    const refused = reason(
      storage.run("a read", (call) => {
        call.signal.addEventListener("abort", () => {
          aborted = true;
        });
        call.whenLate(giveUp);
        return answer.promise;
      }),
    );
    await vi.advanceTimersByTimeAsync(999);
    expect(giveUp).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2);
    expect(await refused).toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringMatching(/a read had no answer within 1000 ms/),
    });
    expect(giveUp).toHaveBeenCalledOnce();
    expect(aborted).toBe(true);
    answer.reject(new Error("too late to matter"));
    await vi.advanceTimersByTimeAsync(10);
  });

  it("is not made any more if the opening took longer than its deadline", async () => {
    const opening = deferred();
    const { calls: storage } = calls({ open: () => opening.promise });
    const act = vi.fn(async () => 1);
    const refused = reason(storage.run("a write", act));
    await vi.advanceTimersByTimeAsync(1001);
    expect(await refused).toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
    opening.resolve(undefined);
    await vi.advanceTimersByTimeAsync(1);
    expect(act).not.toHaveBeenCalled();
  });

  it("that fails names the operation, the clean reason and the remedy", async () => {
    const { calls: storage } = calls({
      clean: (error) => new Error(error.message.replace("secret", "…")),
      advice: () => "Read its log.",
    });
    expect(await reason(storage.run("a write", () => Promise.reject(new Error("bad secret"))))).toMatchObject(
      {
        code: "CACHEME_STORAGE_FAILED",
        message: "couch://here: a write failed: bad …. Read its log.",
      },
    );
  });

  it("may throw instead of rejecting", async () => {
    const { calls: storage } = calls();
    await storage.connect();
    const act = () => {
      throw new Error("at once");
    };
    expect(await reason(storage.run("a write", act))).toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
  });

  it("reports every reason of several addresses", async () => {
    const open = () =>
      Promise.reject(new AggregateError([new Error("::1 refused"), new Error("127.0.0.1 refused")]));
    expect(await reason(calls({ open }).calls.connect())).toMatchObject({
      message: expect.stringMatching(/::1 refused; 127\.0\.0\.1 refused/),
    });
  });
});

describe("connecting", () => {
  it("is given up when its time has passed, and aborted", async () => {
    let given: AbortSignal | undefined;
    const { calls: storage } = calls({
      open: (signal) => {
        given = signal;
        return new Promise(() => {});
      },
    });
    const refused = reason(storage.connect());
    await vi.advanceTimersByTimeAsync(2001);
    expect(await refused).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringMatching(/no answer within 2000 ms/),
    });
    expect(given?.aborted).toBe(true);
  });

  it("lazily returns at once, and reports no failure", async () => {
    const { calls: storage } = calls({ connect: "lazy", open: () => Promise.reject(new Error("down")) });
    await storage.connect();
    await vi.advanceTimersByTimeAsync(1);
    expect(await reason(storage.run("a read", async () => 1))).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
    });
  });
});

describe("the reason why no connection could be made", () => {
  const refuse = (error: unknown, options: Partial<StorageCallsOptions> = {}) =>
    reason(calls({ open: () => Promise.reject(error), ...options }).calls.connect());
  const systemError = (code: string, more: object = {}) =>
    Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code, ...more });
  const isAnswer = ({ message }: Error) => message.startsWith("ERR ");

  it.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])(
    "says of %s that the server was not reached",
    async (code) => {
      expect(await refuse(systemError(code), { isAnswer })).toMatchObject({
        code: "CACHEME_CONNECT_FAILED",
        message: expect.stringMatching(/^couch:\/\/here cannot be reached: .*\. Check that the server runs/),
      });
    },
  );

  it("finds the system's error below the client's, and in those of several addresses", async () => {
    const inside = new Error("selection failed", {
      cause: new Error("pool", { cause: systemError("ENOENT", { syscall: "connect" }) }),
    });
    const each = new AggregateError([systemError("ECONNREFUSED"), systemError("ENETUNREACH")]);
    for (const error of [inside, each]) {
      expect(await refuse(error, { isAnswer })).toMatchObject({
        message: expect.stringContaining("cannot be reached"),
      });
    }
  });

  it.each(["ECONNRESET", "EPIPE", "PROTOCOL_CONNECTION_LOST"])(
    "says of %s that the server was reached and closed the connection",
    async (code) => {
      expect(await refuse(systemError(code))).toMatchObject({
        code: "CACHEME_CONNECT_FAILED",
        message: expect.stringMatching(/was reached, but closed the connection.*TLS/),
      });
    },
  );

  it("says of the server's own words that it was reached, and gives the remedy", async () => {
    const refusalAdvice = () => "Ask the administrator.";
    const message =
      "couch://here was reached, but cannot be used: ERR wrong password. Ask the administrator.";
    const error = new Error("ERR wrong password");
    for (const thrown of [error, new AggregateError([systemError("ECONNREFUSED"), error])]) {
      expect(await refuse(thrown, { isAnswer, refusalAdvice })).toMatchObject({
        code: "CACHEME_CONNECT_REFUSED",
        message: thrown === error ? message : expect.stringContaining("was reached, but cannot be used"),
      });
    }
  });

  it("does not say of a silent server whether it was reached, unless the system says so", async () => {
    const silence = { code: "CACHEME_CONNECT_FAILED", message: expect.stringMatching(/did not answer: /) };
    expect(await refuse(noAnswer(300), { isAnswer })).toMatchObject(silence);
    expect(await refuse(systemError("ETIMEDOUT", { syscall: "connect" }))).toMatchObject({
      message: expect.stringMatching(/cannot be reached/),
    });
  });

  it("counts a certificate that is not trusted as an answer", async () => {
    expect(await refuse(systemError("DEPTH_ZERO_SELF_SIGNED_CERT"))).toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
    });
  });

  it("accepts an error with a cycle in its causes", async () => {
    const round = new Error("round");
    round.cause = round;
    expect(await refuse(round)).toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
  });
});

describe("closing", () => {
  it("waits once for the calls under way, and refuses later ones", async () => {
    const { calls: storage, log } = calls();
    await storage.connect();
    const answer = deferred<number>();
    const call = storage.run("a read", () => answer.promise);
    const closed = Promise.all([storage.close(), storage.close()]);
    await vi.advanceTimersByTimeAsync(1);
    expect(log).toEqual([]);
    answer.resolve(7);
    expect(await call).toBe(7);
    await closed;
    expect(log).toEqual(["shut"]);
    expect(await reason(storage.run("a read", async () => 1))).toMatchObject({ code: "CACHEME_CLOSED" });
    expect(await reason(storage.connect())).toMatchObject({ code: "CACHEME_CLOSED" });
  });
});

describe("a sweeper", () => {
  it("sweeps until nothing is left, then waits, and stops", async () => {
    const batches = [true, true, false];
    const sweep = vi.fn(async () => batches.shift() ?? false);
    const sweeper = new Sweeper(1000, sweep);
    sweeper.start();
    sweeper.start();
    expect(sweep).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1010);
    expect(sweep).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(1010);
    expect(sweep).toHaveBeenCalledTimes(4);
    await sweeper.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(sweep).toHaveBeenCalledTimes(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("continues after a failed sweep", async () => {
    const sweep = vi.fn(async () => {
      throw new Error("the storage is down");
    });
    const sweeper = new Sweeper(1000, sweep);
    sweeper.start();
    await vi.advanceTimersByTimeAsync(1001);
    await vi.advanceTimersByTimeAsync(1001);
    expect(sweep).toHaveBeenCalledTimes(2);
    await sweeper.stop();
  });
});
