/**
 * `@cacheme/testkit/cluster`: a simulated cluster of many processes, and random schedules for it.
 *
 * @packageDocumentation
 */

export { SourceError } from "./cluster/hold.js";
export type { Ending, Message, Network } from "./cluster/network.js";
export { type ClusterOptions, SimulatedCluster } from "./cluster/simulated-cluster.js";
export type { SimulatedProcess } from "./cluster/simulated-process.js";
export type { ServerFault, SimulatedServer } from "./cluster/simulated-server.js";
export type { SimulatedCapabilities } from "./cluster/simulated-storage.js";
export type { StoredState, StoredStates } from "./cluster/stored-state.js";
export type { MachineClock, VirtualTime } from "./cluster/virtual-time.js";
export type { Violation } from "./simulation/answer-check.js";
export type { Setup, SimulatedFreshness } from "./simulation/setup.js";
export {
  type BrokenSchedule,
  type SimulateOptions,
  type SimulationReport,
  simulate,
} from "./simulation/simulate.js";
