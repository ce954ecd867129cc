import { type Server, server as start } from "@cacheme/test-services";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { connectionSettings, StorageCalls } from "cacheme/driver";
import { Command, Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Attempt, askOne } from "../src/client.js";
import { Cluster, type ClusterOptions } from "../src/cluster.js";
import { Connection } from "../src/connection.js";
import { newClient } from "../src/ioredis.js";

/** Compares addresses as strings, as the storage orders the nodes. */
const byAddress = (a: Server, b: Server): number => (`${a.port}` < `${b.port}` ? -1 : 1);

/** Makes a Cluster whose masters are these servers, in this order. */
function clusterOf(servers: readonly Server[]): { readonly cluster: Cluster; readonly calls: StorageCalls } {
  const masters = servers.map(({ port }) => {
    const own = newClient({ Command, Redis }, { host: "127.0.0.1", port });
    return new Connection({ client: own, own, isPersistent: true, connectTimeout: 1000 });
  });
  const nodes: ClusterOptions["nodes"] = {
    version: 0,
    open: async () => void (await Promise.all(masters.map((master) => master.untilReady()))),
    close: async () => void (await Promise.all(masters.map((master) => master.close()))),
    masterOf: () => masters[0],
    at: () => undefined,
    moved: () => {},
    masters: () => masters,
    refresh: async () => {},
  };
  const cluster = new Cluster({ nodes, keyPrefix: "", nodesPrefix: true, natMap: undefined });
  const calls = new StorageCalls({
    ...connectionSettings({}, "redis()"),
    label: "a cluster",
    open: () => cluster.open(),
    shut: () => cluster.close(),
  });
  return { cluster, calls };
}

describeWithServer("redis", "a question to one node of a Cluster", () => {
  let servers: Server[];
  beforeAll(async () => {
    servers = (await Promise.all([start("redis"), start("redis")])).toSorted(byAddress);
  });
  afterAll(() => Promise.all(servers.map((one) => one.stop())));

  it("goes to the first node by address in any order of the nodes, and to the next one if the first is down", async () => {
    const [first, second] = servers;
    const { cluster, calls } = clusterOf(servers.toReversed());
    await calls.connect();
    const portAsked = (): Promise<number> =>
      calls.run("a question", async (call) => {
        const attempt = new Attempt(call);
        const answer = await askOne(cluster, attempt, (client) => client.call("config", "get", "port"));
        return Number((answer as string[])[1]);
      });
    expect(await portAsked()).toBe(first!.port);
    await first!.kill();
    // The call that notices the loss may fail.
    await until(() =>
      portAsked().then(
        (port) => port === second!.port,
        () => false,
      ),
    );
    await first!.restart();
    await until(() =>
      portAsked().then(
        (port) => port === first!.port,
        () => false,
      ),
    );
    await calls.close();
  });
});
