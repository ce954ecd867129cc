import { describe, expect, it, vi } from "vitest";
import { expiry, leaseSeconds, ttlSeconds } from "../src/exptime.js";
import { tokenFrom, tokenText } from "../src/lease-token.js";

const now = (): number => 1_800_000_000;
const day = 86_400;

describe("expiration times", () => {
  it("rounds a ttl up to seconds, and never to 0, which means no end", () => {
    expect([0.5, 1, 999, 1000, 1001, 60_000].map(ttlSeconds)).toEqual([1, 1, 1, 1, 2, 60]);
  });

  it("gives a lease at least its time, however the server's clock ticks", () => {
    expect([1, 1000, 1001, 30_000].map(leaseSeconds)).toEqual([2, 2, 3, 31]);
    expect(leaseSeconds(400 * day * 1000)).toBe(30 * day);
  });

  it("sends up to 30 days unchanged, and does not read the clock", () => {
    const clock = vi.fn(now);
    expect(expiry(1, { now: clock })).toBe(1);
    expect(expiry(30 * day, { now: clock })).toBe(30 * day);
    expect(clock).not.toHaveBeenCalled();
  });

  it("sends more than 30 days as a time of the server's clock", () => {
    expect(expiry(30 * day + 1, { now })).toBe(1_800_000_000 + 30 * day + 1);
    expect(expiry(3650 * day, { now })).toBe(1_800_000_000 + 3650 * day);
  });

  it("ends at the server's last second", () => {
    expect(expiry(undefined, { now })).toBe(2 ** 31 - 1);
    expect(expiry(10_000 * day, { now })).toBe(2 ** 31 - 1);
    for (const late of [2 ** 31 - 1, 2 ** 31 - day, 2 ** 32]) {
      expect(expiry(undefined, { now: () => late })).toBe(30 * day);
      expect(expiry(31 * day, { now: () => late })).toBe(30 * day);
    }
  });
});

describe("the token of a lease", () => {
  it("is read as it was written", () => {
    for (const place of ["alone", "beside"] as const) {
      const token = { cas: "18446744073709551615", place, run: "4711-1795237892" };
      expect(tokenFrom(tokenText(token))).toEqual(token);
    }
  });

  it("is no other string", () => {
    for (const text of ["", "a0.1-1", "a.1-1", "c5.1-1", "a5", "a5.1 1\r\nflush_all", "no token at all"]) {
      expect(tokenFrom(text)).toBeUndefined();
    }
  });
});
