import { setTimeout as pause } from "node:timers/promises";
import type { ServerProxy } from "../network/proxy.js";
import type { Server } from "../run/service.js";
import type { Random } from "./random.js";

/** The server, the network and the processes that suffer faults. */
export interface Victims {
  readonly server: Server;
  /** The network between the server and every other process. */
  readonly proxy: ServerProxy;
  /** Kills a process of the fuzz, and starts another one in its place. */
  replace(slot: number): Promise<void>;
  /** Stops a process of the fuzz for a time. */
  stop(slot: number, milliseconds: number): Promise<void>;
  readonly processes: number;
}

/** The names of the faults. */
export const faults = [
  "process killed",
  "process stopped",
  "server killed",
  "server stopped",
  "network cut",
  "network partitioned",
  "network refused",
  "network slow",
] as const;

export type Fault = (typeof faults)[number];

/** Inflicts a fault, and settles when it is over. */
export async function inflict(fault: Fault, victims: Victims, random: Random): Promise<void> {
  const { server, proxy } = victims;
  const short = (): Promise<void> => pause(50 + random.below(1_500));
  switch (fault) {
    case "process killed":
      await victims.replace(random.below(victims.processes));
      return;
    case "process stopped":
      await victims.stop(random.below(victims.processes), 100 + random.below(4_000));
      return;
    case "server killed":
      await server.kill();
      await pause(random.below(800));
      await server.restart();
      return;
    case "server stopped":
      await server.pause();
      await short();
      await server.resume();
      return;
    case "network cut":
      for (let cuts = 1 + random.below(3); cuts > 0; cuts--) {
        proxy.cut();
        await pause(random.below(200));
      }
      return;
    case "network partitioned":
      proxy.partition();
      await short();
      proxy.cut();
      await proxy.heal();
      return;
    case "network refused":
      await proxy.refuse();
      await short();
      await proxy.heal();
      return;
    case "network slow":
      proxy.latency(random.below(400));
      await short();
      proxy.latency(0);
      return;
  }
}
