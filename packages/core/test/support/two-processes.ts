import { Cacheme, type CachemeOptions, memory } from "../../src/index.js";
import { settled } from "./deferred.js";
import { LeasedRemote } from "./leased-remote.js";
import { VirtualClock } from "./virtual-clock.js";

/** Makes processes on one clock, each with a client "remote" of one server with leases. */
export async function cluster(count = 1, options: Omit<CachemeOptions, "clock"> = {}) {
  const clock = new VirtualClock();
  const server = new LeasedRemote(clock);
  const start = async () => {
    const cacheme = new Cacheme({ ...options, clock });
    const remote = new LeasedRemote(clock, server);
    await cacheme.registerStorage("local", memory());
    await cacheme.registerStorage("remote", remote);
    return { cacheme, remote };
  };
  const processes = await Promise.all(Array.from({ length: count }, start));
  return { clock, server, processes, ...processes[0]! };
}

/** Makes a cluster of two processes. */
export async function twoProcesses(options: Omit<CachemeOptions, "clock"> = {}) {
  const { clock, server, processes } = await cluster(2, options);
  const [one, other] = processes;
  return { clock, server, one: one!, other: other! };
}

/** Advances the time in small steps, and lets every job run after each. */
export async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5) {
    clock.advance(Math.min(5, ms - passed));
    await settled();
  }
}
