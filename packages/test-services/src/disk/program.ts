import { once } from "node:events";
import { type DiskStorage, increments, racedKeys } from "./disk-storage.js";

/** One use of a storage. Its result is printed as JSON. */
export type DiskScenario = (storage: DiskStorage) => Promise<unknown>;

/** The program's storage, and what it can do beside the scenarios of all. */
export interface DiskProgram {
  /** Creates the storage at a path. */
  make(path: string, scenario: string): DiskStorage;
  readonly scenarios: { readonly [name: string]: DiskScenario };
  /** Loads what the storage needs, before a scenario drops the right to. */
  load?(): Promise<void>;
}

/** The scenarios that `describeDiskProcesses` runs. */
const sharedScenarios: { readonly [name: string]: DiskScenario } = {
  async writes(storage) {
    await storage.writeMany([{ key: "program", bytes: Buffer.from("value"), ttl: undefined }]);
    return "written";
  },

  async writesWithoutRights(storage) {
    return sharedScenarios["writes"]?.(storage);
  },

  /** Takes every free lease and makes every missing generation, when it gets the signal. */
  async races({ leases, generations }) {
    say("ready");
    await once(process.stdin, "data");
    process.stdin.pause();
    const won: string[] = [];
    const ids: string[] = [];
    for (const key of racedKeys) {
      const [answer] = (await leases?.acquire([{ key, duration: 600_000 }])) ?? [];
      if (answer?.outcome === "granted") won.push(key);
      const [generation] = (await generations?.ensure([`tag:${key}`], undefined)) ?? [];
      ids.push(generation?.id ?? "");
    }
    return { won, ids };
  },

  /** Increments a number under a lease, again and again: a lost increment shows that two processes held the lease at once. */
  async counts(storage) {
    for (let done = 0; done < increments; ) {
      const [answer] = (await storage.leases?.acquire([{ key: "count", duration: 60_000 }])) ?? [];
      if (answer?.outcome !== "granted") {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        continue;
      }
      const [bytes] = await storage.readMany(["count"]);
      const next = Number(bytes === undefined ? 0 : Buffer.from(bytes).toString()) + 1;
      const record = { key: "count", bytes: Buffer.from(`${next}`), ttl: undefined, freshFor: 1 };
      const [stored] = (await storage.leases?.fill([{ ...record, token: answer.token }])) ?? [];
      if (stored === true) done++;
    }
    return "counted";
  },
};

/**
 * Runs a whole program that uses a storage and ends by itself, without `close()`. Its first argument names the scenario, the
 * second is the path; it prints the result, or an error's code and message. For `describeDiskProcesses`.
 */
export async function runDiskScenario({ make, scenarios, load }: DiskProgram): Promise<void> {
  const [, , name = "", path = ""] = process.argv;
  try {
    if (name === "writesWithoutRights" && process.getuid?.() === 0) {
      await load?.();
      process.setgid?.(65_534);
      process.setuid?.(65_534);
    }
    const storage = make(path, name);
    await storage.connect();
    say((await (scenarios[name] ?? sharedScenarios[name])?.(storage)) ?? "done");
  } catch (error) {
    say(error instanceof Error && "code" in error ? [error.code, error.message] : String(error));
  }
}

/** Prints a line for `ProgramRun.said`. */
export function say(words: unknown): void {
  process.stdout.write(`${JSON.stringify(words)}\n`);
}
