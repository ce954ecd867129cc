import { testAddresses } from "@cacheme/test-services/network/address-tests";
import { describeTableOptions } from "@cacheme/test-services/network/table-option-tests";
import { CachemeError } from "cacheme";
import { createConnection, createPool, createPoolCluster } from "mysql2";
import { createPool as createPromisePool } from "mysql2/promise";
import { afterEach, describe, expect, it } from "vitest";
import { mysql } from "../src/index.js";
import { settings } from "../src/options.js";

const pools: { end(): unknown }[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

describe("the address of a server", () => {
  testAddresses(mysql, {
    labels: [
      ["mysql://localhost/app", "mysql://localhost:3306/app"],
      ["mariadb://10.0.0.7:3307/app", "mysql://10.0.0.7:3307/app"],
      ["mysql://user:secret@db.example/app?ssl=true", "mysql://db.example:3306/app"],
      ["MYSQL://[::1]:3306/app", "mysql://[::1]:3306/app"],
    ],
    refused: [
      "localhost:3306",
      "http://localhost/app",
      "mysql:app",
      "mysql://:secret@[/app",
      "mysql://user:%zz@localhost/secret",
      "mysql://:secret@localhost,other/app",
      "mysql://:secret@localhost/app/other",
      "mysql://:secret@localhost",
      "",
    ],
    words: /mysql:\/\/(user:password@)?host:3306\/database/,
  });

  it("is read with its name, its password and its database", () => {
    const url = "mysql://us%40er:p%40ss@db.example:3307/app?ssl=true&connectionLimit=20";
    expect(settings(url, {}).pool).toEqual({
      host: "db.example",
      port: 3307,
      user: "us@er",
      password: "p@ss",
      database: "app",
      ssl: {},
      connectionLimit: 20,
    });
  });

  it.each([
    ["connectionLimit=0", "The option connectionLimit of mysql() is 0. Give a whole number from 1."],
    ["multipleStatements=true", "It takes connectionLimit, ssl."],
  ])("is refused with the parameter %s", (parameter, words) => {
    const make = () => mysql(`mysql://:secret@localhost/app?${parameter}`);
    expect(make).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION", message: expect.stringContaining(words) }),
    );
    expect(make).toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
  });

  it("needs no database if the table names one", () => {
    expect(settings("mysql://localhost", { table: "cache.entries" }).table).toBe("`cache`.`entries`");
  });
});

describe("the options of mysql2", () => {
  it("are used, and name the storage", () => {
    const options = { host: "db.example", port: 3307, user: "app", password: "secret", database: "app" };
    expect(mysql(options).label).toBe("mysql://db.example:3307/app");
    expect(mysql({ socketPath: "/run/mysqld.sock", database: "app" }).label).toBe(
      "mysql:/run/mysqld.sock/app",
    );
  });

  it.each([
    ["connectTimeout", 100, "give it as an option of the storage"],
    ["multipleStatements", true, "one statement at a time"],
    ["waitForConnections", false, "up to commandTimeout"],
    ["typeCast", false, "it takes authPlugins, "],
    ["hots", "localhost", "it takes authPlugins, "],
  ])("do not include %s", (name, value, why) => {
    const make = () => mysql({ database: "app", password: "secret", [name]: value });
    expect(make).toThrow(`does not take the option ${name} of mysql2: `);
    expect(make).toThrow(why);
    expect(make).toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
  });

  it("do not include a pool of no connections", () => {
    expect(() => mysql({ database: "app", connectionLimit: 0 })).toThrow("whole number from 1");
  });

  it.each([null, undefined, 7, () => {}])("are refused if they are %s", (target) => {
    expect(() => mysql(target as never)).toThrow("Give an address");
  });
});

describe("a pool of the program's own", () => {
  const config = { host: "db.example", port: 3307, user: "app", password: "secret", database: "app" };

  it("names the storage, whichever of the two kinds it is", () => {
    const pool = createPool(config);
    const promisePool = createPromisePool(config);
    pools.push({ end: () => promisePool.end() }, { end: () => pool.promise().end() });
    expect(mysql(pool).label).toBe("mysql://db.example:3307/app");
    expect(mysql(promisePool).label).toBe("mysql://db.example:3307/app");
  });

  it("is refused if it is a single connection or a cluster", () => {
    const connection = createConnection({ ...config, host: "127.0.0.1", port: 1 });
    connection.on("error", () => {});
    expect(() => mysql(connection as never)).toThrow("pool of mysql2");
    const cluster = createPoolCluster();
    expect(() => mysql(cluster as never)).toThrow(CachemeError);
    connection.destroy();
    cluster.end();
  });
});

describe("the options of the storage", () => {
  const url = "mysql://localhost/app";

  it("have defaults", () => {
    expect(settings(url, {})).toMatchObject({
      connect: "eager",
      commandTimeout: 1000,
      connectTimeout: 2000,
      table: "`cacheme`",
      createTable: true,
      sweepInterval: 60_000,
    });
  });
});

describeTableOptions("mysql()", (options) => mysql("mysql://localhost/app", options));
