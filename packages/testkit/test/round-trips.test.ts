import type { LeasedRecord } from "cacheme/driver";
import { describe, expect, it } from "vitest";
import { type ComplianceServer, ComplianceSuite } from "../src/index.js";
import { ReferenceStorage } from "./reference-storage.js";

const none = async (): Promise<void> => {};

/** The reference storage behind a network that counts its round trips. */
class Network {
  #roundTrips = 0;
  /** Round trips of each fill. */
  perFill = 1;
  /** Whether a heartbeat falls into every second call. */
  beats = false;
  #calls = 0;

  readonly server = (): ComplianceServer => ({
    url: "reference://",
    kill: none,
    restart: none,
    pause: none,
    resume: none,
    proxy: async () => ({
      url: "reference://",
      counts: this.#counts,
      open: 1,
      resetCounts: () => {
        this.#roundTrips = 0;
        if (this.beats && this.#calls++ % 2 === 0) this.#roundTrips = 1;
      },
      cut() {},
      partition() {},
      refuse: none,
      heal: none,
      close: none,
    }),
  });

  get #counts(): { readonly roundTrips: number } {
    const current = () => this.#roundTrips;
    return {
      get roundTrips() {
        return current();
      },
    };
  }

  readonly create = (): ReferenceStorage => {
    const count = (roundTrips: number) => {
      this.#roundTrips += roundTrips;
    };
    const storage = new ReferenceStorage();
    const { acquire, fill, release } = storage.leases;
    return Object.assign(storage, {
      leases: {
        acquire: (...given: Parameters<typeof acquire>) => {
          count(1);
          return acquire(...given);
        },
        fill: (records: readonly LeasedRecord[]) => {
          count(this.perFill);
          return fill(records);
        },
        release: (...given: Parameters<typeof release>) => {
          count(1);
          return release(...given);
        },
      },
    });
  };

  /** Runs the suite's test of leases. */
  async run(): Promise<void> {
    const suite = new ComplianceSuite({ name: "network", create: this.create, server: this.server });
    const section = suite.sections.find(({ title }) => title === "round trips");
    const test = section?.cases.find(({ title }) => title.startsWith("acquires, fills and releases"));
    await suite.run(section!, test!);
    await suite.close();
  }
}

describe("the round trips of leases", () => {
  it("are those of the calls, without a client's heartbeats", async () => {
    const network = new Network();
    network.beats = true;
    await network.run();
  });

  it("are too many if each fill makes two", async () => {
    const network = new Network();
    network.perFill = 2;
    await expect(network.run()).rejects.toThrow("fill: expected at most 1 round trips, got 2");
  });
});
