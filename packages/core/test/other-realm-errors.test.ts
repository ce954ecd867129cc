import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { connectionSettings, isAggregate, isError, StorageCalls } from "../src/driver.js";
import { storageByUrl } from "../src/tiers/by-url.js";
import { reason } from "./support/reason.js";

// Makes an error of another realm. Test runners run programs in a context of their own. There the
// errors of Node's own modules are of another realm.
const foreign = (source: string): unknown => runInNewContext(`Object.assign(${source})`);

describe("an error of another realm", () => {
  it("is an error, even one of several errors", () => {
    const error = foreign("new RangeError('far'), {}");
    expect(error).not.toBeInstanceOf(Error);
    expect(isError(error)).toBe(true);
    expect(isAggregate(error)).toBe(false);
    expect(isAggregate(foreign("new AggregateError([1]), {}"))).toBe(true);
    expect(isAggregate(new AggregateError([]))).toBe(true);
    for (const other of [
      undefined,
      null,
      "far",
      { message: "far" },
      Object.create(Error.prototype).message,
    ]) {
      expect(isError(other)).toBe(false);
    }
  });

  it("names the package to install if it reports a missing package", async () => {
    const importer = (): Promise<never> => {
      const error = foreign("new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' }");
      return Promise.reject(error);
    };
    expect(await reason(storageByUrl("redis://127.0.0.1", {}, importer))).toMatchObject({
      code: "CACHEME_MISSING_PACKAGE",
      message: expect.stringContaining("npm install @cacheme/redis ioredis"),
    });
  });

  it("reports that no address was reached if a name has several", async () => {
    const refused = `Object.assign(new Error("connect ECONNREFUSED ::1:1"), { code: "ECONNREFUSED", syscall: "connect" })`;
    const calls = new StorageCalls({
      ...connectionSettings({}, "shelf()"),
      label: "a shelf",
      open: () => Promise.reject(foreign(`new AggregateError([${refused}]), {}`)),
      shut: async () => {},
    });
    expect(await reason(calls.connect())).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringMatching(/ECONNREFUSED.*check/i),
    });
  });
});
