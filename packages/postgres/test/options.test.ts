import { testAddresses } from "@cacheme/test-services/network/address-tests";
import { describeTableOptions } from "@cacheme/test-services/network/table-option-tests";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { postgres } from "../src/index.js";
import { settings } from "../src/options.js";

describe("the address of a server", () => {
  testAddresses(postgres, {
    labels: [
      ["postgres://db.example/app", "postgres://db.example:5432/app"],
      ["postgresql://user:secret@10.0.0.7:5433/app", "postgres://10.0.0.7:5433/app"],
      ["POSTGRES://db.example/app", "postgres://db.example:5432/app"],
      ["postgres://user:secret@[::1]:5432/app", "postgres://[::1]:5432/app"],
      ["postgres://user@db.example", "postgres://db.example:5432/user"],
    ],
    refused: [
      "",
      "localhost:5432",
      "mysql://user:secret@host/db",
      "postgres:5432",
      "postgres://:secret@[",
      "postgres://user:secret@host/app?sslmode=verify-full&sslrootcert=/no/such/file",
    ],
    words: "postgres()",
  });
});

describe("the parameters of an address", () => {
  const address = "postgres://app:secret@db.example/app";

  it("are read by pg, and do not replace the session's settings", () => {
    const { config } = settings(`${address}?sslmode=disable&options=-c%20work_mem%3D8MB`, {});
    expect(config.connectionString).toBe(`${address}?sslmode=disable`);
    expect(config.options).toBe("-c default_transaction_isolation=read\\ committed -c work_mem=8MB");
    // As pg puts the two together.
    expect(new pg.Client(config)).toMatchObject({ connectionParameters: { options: config.options } });
  });

  it.each([
    ["commandTimeout=5s", "an option of the storage"],
    ["table=entries", "an option of the storage"],
    ["statement_timeout=0", "commandTimeout"],
    ["binary=true", "reads bytes wrongly"],
    ["max=50", "as an object"],
  ])("do not include %s", (parameter, words) => {
    const make = () => postgres(`${address}?${parameter}`);
    expect(make).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION", message: expect.stringContaining(words) }),
    );
    expect(make).not.toThrow("secret");
  });
});

describe("the options of pg", () => {
  it("are used, and name the storage", () => {
    const given = { host: "db.example", port: 5433, user: "app", password: "secret", database: "cache" };
    expect(postgres(given).label).toBe("postgres://db.example:5433/cache");
    expect(postgres({ host: "/run/postgresql", database: "app" }).label).toBe(
      "postgres:/run/postgresql:5432/app",
    );
    expect(settings({ ...given, max: 3 }, {})).toMatchObject({
      max: 3,
      config: { ...given, max: 3, application_name: "cacheme", statement_timeout: 1000 },
    });
  });

  it("set the timeout and the isolation of a session", () => {
    const { config } = settings({ options: "-c work_mem=8MB" }, { commandTimeout: 1500.5 });
    expect(config.statement_timeout).toBe(1501);
    expect(config.options).toBe("-c default_transaction_isolation=read\\ committed -c work_mem=8MB");
  });

  it("set nothing of the session if statements are not prepared", () => {
    const { config } = settings("postgres://localhost/app", { prepare: false });
    expect(config).not.toHaveProperty("statement_timeout");
    expect(config).not.toHaveProperty("options");
  });

  it.each([
    ["connectionTimeoutMillis", 100, "connectTimeout"],
    ["statement_timeout", 100, "commandTimeout"],
    ["query_timeout", 100, "commandTimeout"],
    ["allowExitOnIdle", false, "finished program"],
    ["connectionString", "postgres://user:secret@host/app", "address alone"],
    ["binary", true, "reads bytes wrongly"],
    ["hots", "db.example", 'has no option "hots"'],
    ["max", 0, "Give a whole number from 1"],
  ])("do not include %s", (name, value, words) => {
    expect(() => postgres({ [name]: value })).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION", message: expect.stringContaining(words) }),
    );
  });

  it.each([
    ["nothing", undefined, "was given undefined"],
    ["a number", 7, "was given 7"],
    ["a single connection", new pg.Client(), "one connection"],
    ["a pool that answers in binary", binaryPool(), "reads bytes wrongly"],
  ])("are not %s", (_, target, words) => {
    expect(() => postgres(target as never)).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION", message: expect.stringContaining(words) }),
    );
  });
});

describeTableOptions("postgres()", (options) => postgres("postgres://localhost/app", options));

describe("the options of postgres() alone", () => {
  it.each([
    ["unlogged", 1],
    ["prepare", null],
  ])("refuse %s: %j", (name, value) => {
    expect(() => postgres("postgres://localhost/app", { [name]: value })).toThrow(
      `The option ${name} of postgres() is ${value}. Give true or false.`,
    );
  });
});

function binaryPool(): pg.Pool {
  const options: pg.PoolConfig & { binary: boolean } = { binary: true };
  return new pg.Pool(options);
}
