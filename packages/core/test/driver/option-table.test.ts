import { describe, expect, it } from "vitest";
import {
  connectionRows,
  flag,
  OptionTable,
  oneOf,
  optionKind,
  rowsOf,
  tableOption,
  timer,
  wholeNumber,
} from "../../src/driver.js";
import { thrownBy } from "../support/reason.js";

const options = new OptionTable("couch()", {
  ...connectionRows,
  batch: { kind: wholeNumber(1), default: 100, inAddress: true },
  color: { kind: oneOf("red", "green", "blue"), inAddress: true },
  createTable: { kind: flag, default: true, inAddress: true },
  listener: { kind: optionKind("a function", (value): value is () => void => typeof value === "function") },
  maxSize: { kind: wholeNumber(65_536, "bytes") },
  sweepInterval: { kind: timer, default: "1m", inAddress: true },
  table: { kind: tableOption, default: "cacheme" },
});

describe("a table of options", () => {
  it("fills in the defaults, and leaves options without one undefined", () => {
    expect(options.check({})).toEqual({
      connect: "eager",
      commandTimeout: 1000,
      connectTimeout: 2000,
      batch: 100,
      color: undefined,
      createTable: true,
      listener: undefined,
      maxSize: undefined,
      sweepInterval: 60_000,
      table: ["cacheme"],
    });
  });

  it("takes undefined for an option that was left out", () => {
    expect(options.check({ batch: undefined, color: undefined })).toMatchObject({
      batch: 100,
      color: undefined,
    });
  });

  it("tells a commandTimeout that was given from the default, even if they are equal", () => {
    expect(options.check({ commandTimeout: "1s" })).toMatchObject({ commandTimeout: 1000, deadline: 1000 });
    expect(options.check({ commandTimeout: undefined })).not.toHaveProperty("deadline");
  });

  it("has rows of one kind for the options that a client checks itself", () => {
    const client = new OptionTable("couch()", { ...rowsOf(flag, ["keepAlive", "tls"]), ...connectionRows });
    expect(client.check({ tls: true })).toMatchObject({ tls: true, keepAlive: undefined });
    expect(() => client.check({ tls: 1 })).toThrow("The option tls of couch() is 1");
  });

  it("refuses to leave out a required option", () => {
    const server = new OptionTable("a server", { port: { kind: wholeNumber(1), isRequired: true } });
    expect(server.check({ port: 5 }).port.toFixed()).toBe("5");
    expect(thrownBy(() => server.check({}))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringContaining("The option port of a server is undefined. Give a whole number"),
    });
  });

  it("checks the values", () => {
    const listener = (): void => {};
    expect(
      options.check({ connect: "lazy", commandTimeout: "5s", color: "blue", listener, table: "a.b" }),
    ).toMatchObject({ connect: "lazy", commandTimeout: 5000, color: "blue", listener, table: ["a", "b"] });
  });

  it.each([
    ["batch", 0, "The option batch of couch() is 0. Give a whole number from 1."],
    ["batch", "7", 'The option batch of couch() is "7". Give a whole number from 1.'],
    ["batch", 1.5, "is 1.5. Give a whole number"],
    ["maxSize", 1000, "The option maxSize of couch() is 1000. Give whole bytes, 65536 at least."],
    ["color", "pink", 'The option color of couch() is "pink". Give "red", "green" or "blue".'],
    ["createTable", "yes", 'The option createTable of couch() is "yes". Give true or false.'],
    ["connect", null, 'The option connect of couch() is null. Give "eager" or "lazy".'],
    ["listener", {}, "The option listener of couch() is an object. Give a function."],
    ["table", "a;b", 'The option table of couch() is "a;b". Give a name of letters'],
    ["tabel", "a", 'couch() has no option "tabel". It has: batch, color, commandTimeout, connect'],
  ])("refuses %s: %j", (name, value, message) => {
    expect(thrownBy(() => options.check({ [name]: value }))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringContaining(message),
    });
  });

  it("refuses a time that no timer can wait for", () => {
    expect(thrownBy(() => options.check({ sweepInterval: -1 }))).toMatchObject({
      code: "CACHEME_INVALID_DURATION",
      message: expect.stringContaining("option sweepInterval of couch()"),
    });
  });

  it("reads the parameters of an address as options", () => {
    const parameters = new URLSearchParams("batch=7&color=red&createTable=false&sweepInterval=500");
    expect(options.check(options.fromParameters(parameters))).toMatchObject({
      ...{ batch: 7, color: "red", createTable: false, sweepInterval: 500 },
    });
    expect(options.check(options.fromParameters(new URLSearchParams("sweepInterval=5s")))).toMatchObject({
      sweepInterval: 5000,
    });
  });

  it.each([
    ["batch=many", 'The option batch of couch() is "many"'],
    ["batch=", 'The option batch of couch() is ""'],
    ["createTable=1", 'The option createTable of couch() is "1"'],
    ["connect=lazy", "with the unsupported parameter connect. Give it as an option."],
    ["hue=1", "the unsupported parameter hue. It takes batch, color, createTable, sweepInterval."],
    ["toString=1", "the unsupported parameter toString."],
  ])("refuses the parameter %s", (text, message) => {
    expect(thrownBy(() => options.check(options.fromParameters(new URLSearchParams(text))))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringContaining(message),
    });
  });

  it("takes no parameter if no option may be in an address", () => {
    const closed = new OptionTable("couch()", connectionRows);
    expect(thrownBy(() => closed.fromParameters(new URLSearchParams("hue=1")))).toMatchObject({
      message: expect.stringContaining("Leave it out."),
    });
  });
});
