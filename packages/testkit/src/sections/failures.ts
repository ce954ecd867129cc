import assert from "node:assert/strict";
import type { ConnectionOptions, RemoteStorage } from "cacheme/driver";
import { type Section, section } from "../case.js";
import type { ComplianceProxy, ComplianceServer } from "../compliance-server.js";
import { bounded, outcome, readTexts, record, refused, until } from "../expect.js";
import type { Trial } from "../subject.js";

/** Short deadlines, so that the tests do not take long, which even a busy machine meets. */
const hasty = { commandTimeout: 1000, connectTimeout: 1200 } as const;
const deadline = hasty.commandTimeout + hasty.connectTimeout;

const troubles = ["CACHEME_STORAGE_FAILED", "CACHEME_CONNECT_FAILED", "CACHEME_CONNECT_REFUSED"];

/** A server that dies, hangs and comes back. */
export const serverFailures: Section = section("failures", {
  "fails to connect in time while the server is down, with a reason, and connects when it is up": async (
    trial,
  ) => {
    const { server, storage } = await killed(trial);
    const error = await bounded(deadline, () => refused(storage.connect(), "CACHEME_CONNECT_FAILED"));
    assert.ok(
      error.message.includes(storage.label),
      `expected a message with the storage's label, got: ${error.message}`,
    );
    await server.restart();
    await until(async () => (await outcome(storage.connect())) === "answered", "the storage connects");
    await recovers(trial, storage);
  },

  "connects lazily without its server, and works when the server is up": async (trial) => {
    const { server, storage } = await killed(trial, { connect: "lazy" });
    await bounded(0, () => storage.connect());
    await allFail(trial, storage);
    await server.restart();
    await recovers(trial, storage);
  },

  "settles every call when the server is killed, and works after its restart": async (trial) => {
    const { server, storage } = await working(trial, "restart");
    const calls = underWay(trial, storage);
    await server.kill();
    await bounded(deadline, () => Promise.all(calls));
    await allFail(trial, storage);
    await server.restart();
    await recovers(trial, storage);
  },

  "settles every call while the server is paused, and works after its resumption": async (trial) => {
    const { server, storage } = await working(trial, "resume");
    await server.pause();
    await allFail(trial, storage);
    await allFail(trial, storage);
    await server.resume();
    await recovers(trial, storage);
  },

  "closes in time while the server is paused": async (trial) => {
    const { server, storage } = await working(trial, "resume");
    await server.pause();
    const calls = underWay(trial, storage);
    await bounded(2 * deadline, () => storage.close());
    await Promise.all(calls);
  },
});

/** A network that fails. */
export const networkFailures: Section = section("failures", {
  "settles every call when its connections are reset, and works at once": async (trial) => {
    const { storage, proxy } = await proxied(trial);
    for (let round = 0; round < 5; round++) {
      const calls = underWay(trial, storage);
      proxy.cut();
      await bounded(deadline, () => Promise.all(calls));
      await recovers(trial, storage);
    }
  },

  "settles every call during a network partition, and works after it": async (trial) => {
    const { storage, proxy } = await proxied(trial);
    const calls = underWay(trial, storage);
    proxy.partition();
    await bounded(deadline, () => Promise.all(calls));
    await allFail(trial, storage);
    await proxy.heal();
    await recovers(trial, storage);
  },

  "settles every call while connections are refused, and works when they are accepted": async (trial) => {
    const { storage, proxy } = await proxied(trial);
    await proxy.refuse();
    await allFail(trial, storage);
    await allFail(trial, storage);
    await proxy.heal();
    await recovers(trial, storage);
  },

  "does not send a call after its deadline, so that a late write never undoes a removal": async (trial) => {
    const { storage, proxy } = await proxied(trial);
    const key = trial.key("a");
    proxy.partition();
    await refused(storage.writeMany([record(key, "given up")]), ...troubles);
    await proxy.heal();
    await until(async () => (await outcome(storage.removeMany([key]))) === "answered", "the removal");
    await recovers(trial, storage);
    assert.deepEqual(await readTexts(trial.storage, key), [undefined]);
  },

  "closes each connection that it has given up": async (trial) => {
    const { storage, proxy } = await proxied(trial);
    for (let round = 0; round < 3; round++) {
      proxy.partition();
      await allFail(trial, storage);
      await proxy.heal();
      await recovers(trial, storage);
    }
    await storage.close();
    await until(async () => proxy.open === 0, "each connection is closed");
  },
});

/** A server that is down until the test restarts it, and a storage that has not connected. */
async function killed(trial: Trial, options: ConnectionOptions = {}): Promise<Served> {
  const server = await trial.server();
  trial.after(() => server.restart());
  await server.kill();
  return { server, storage: await trial.unconnected({ ...hasty, ...options }) };
}

/** @param undo called after the test */
async function working(trial: Trial, undo: "restart" | "resume"): Promise<Served> {
  const server = await trial.server();
  trial.after(() => server[undo]());
  const storage = await trial.connected(hasty);
  await recovers(trial, storage);
  return { server, storage };
}

interface Served {
  readonly server: ComplianceServer;
  readonly storage: RemoteStorage;
}

async function proxied(trial: Trial): Promise<{ storage: RemoteStorage; proxy: ComplianceProxy }> {
  const server = await trial.server();
  const proxy = await server.proxy?.();
  assert.ok(proxy !== undefined, "expected a server with a proxy");
  trial.after(() => proxy.close());
  const storage = await trial.connected(hasty, proxy.url);
  await recovers(trial, storage);
  return { storage, proxy };
}

/**
 * Starts calls of each kind. Each must be answered, or fail with a code that names the storage as
 * the cause.
 */
function underWay(trial: Trial, storage: RemoteStorage): Promise<void>[] {
  const key = trial.key("under way");
  return Array.from({ length: 5 }, () => [
    storage.readMany([key]),
    storage.writeMany([record(key, "value")]),
    storage.removeMany([key]),
    storage.ping(),
    storage.time(),
  ])
    .flat()
    .map(async (call: Promise<unknown>) => {
      const came = await outcome(call);
      assert.ok(
        ["answered", "CACHEME_CLOSED", ...troubles].includes(came),
        `expected an answer or a code for storage trouble, got ${came}`,
      );
    });
}

/** Asserts that each call fails within its deadline. */
async function allFail(trial: Trial, storage: RemoteStorage): Promise<void> {
  const key = trial.key("fails");
  await bounded(deadline, () =>
    Promise.all([
      refused(storage.readMany([key]), ...troubles),
      refused(storage.writeMany([record(key, "value")]), ...troubles),
      refused(storage.removeMany([key]), ...troubles),
      refused(storage.ping(), ...troubles),
      refused(storage.time(), ...troubles),
      ...(storage.leases === undefined
        ? []
        : [refused(storage.leases.acquire([{ key, duration: 1000 }]), ...troubles)]),
      ...(storage.generations === undefined
        ? []
        : [refused(storage.generations.ensure([trial.key("tag")], 60_000), ...troubles)]),
    ]),
  );
}

async function works(trial: Trial, storage: RemoteStorage): Promise<void> {
  const key = trial.key("works");
  await storage.writeMany([record(key, "value")]);
  assert.deepEqual(await readTexts(storage, key), ["value"]);
  assert.equal(await storage.removeMany([key]), 1);
}

/** Waits until the storage works again, without a call of `connect`. */
async function recovers(trial: Trial, storage: RemoteStorage): Promise<void> {
  await until(async () => (await outcome(storage.ping())) === "answered", "the storage answers again");
  await until(async () => (await outcome(works(trial, storage))) === "answered", "the storage works again");
}
