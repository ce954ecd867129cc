import { performance } from "node:perf_hooks";
import { type Clock, systemClock } from "cacheme";
import { Network } from "../../src/cluster/network.js";
import { SimulatedServer } from "../../src/cluster/simulated-server.js";
import { SimulatedStorage } from "../../src/cluster/simulated-storage.js";
import { storageCompliance } from "../../src/vitest.js";

// The suite waits in real time, and turns the global date back.
const clock: Clock = { ...systemClock, now: () => performance.timeOrigin + performance.now() };
const server = new SimulatedServer("simulated", clock);
const network = new Network();
network.onSend = () => void Promise.resolve().then(() => network.end(0, "arrive"));

storageCompliance({
  name: "@cacheme/testkit, simulated storage",
  create: () => new SimulatedStorage(server, network, { process: 0, isDead: false }),
});
