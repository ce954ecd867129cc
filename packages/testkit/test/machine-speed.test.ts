import { performance } from "node:perf_hooks";
import type { LeaseAnswer, LeaseRequest, StoredRecord } from "cacheme/driver";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ComplianceSuite } from "../src/index.js";
import { ReferenceStorage } from "./reference-storage.js";

/** Makes the clock advance at each reading, and only then: so many milliseconds are one step. */
function clockOfSteps(step: number): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += step;
    return now;
  });
}

/** Runs the tests of leases, or one of them, and returns the titles of those that fail. */
async function failures(Storage: typeof ReferenceStorage, only?: string): Promise<string[]> {
  const shared = new Map();
  const suite = new ComplianceSuite({ name: "steps", create: () => new Storage(shared) });
  const failed: string[] = [];
  for (const section of suite.sections.filter(({ title }) => title === "leases")) {
    for (const test of section.cases.filter(({ title }) => title === (only ?? title))) {
      await suite.run(section, test).catch(() => failed.push(test.title));
    }
  }
  await suite.close();
  return failed;
}

const freshness = "treats bytes as fresh for the given time";
const holding = "holds a lease for its whole duration";

const faults: Record<string, [found: string, storage: typeof ReferenceStorage]> = {
  "treats bytes as fresh for too long": [
    freshness,
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write({ ...record, freshFor: record.freshFor && record.freshFor + 50 });
      }
    },
  ],
  "treats bytes as stale too soon": [
    freshness,
    class extends ReferenceStorage {
      protected override write(record: StoredRecord) {
        super.write({ ...record, freshFor: record.freshFor && record.freshFor - 50 });
      }
    },
  ],
  "holds leases too long": [
    holding,
    class extends ReferenceStorage {
      protected override acquire(request: LeaseRequest): LeaseAnswer {
        return super.acquire({ ...request, duration: request.duration + 50 });
      }
    },
  ],
  "ends leases too soon": [
    holding,
    class extends ReferenceStorage {
      protected override acquire(request: LeaseRequest): LeaseAnswer {
        return super.acquire({ ...request, duration: request.duration - 50 });
      }
    },
  ],
};

describe("the tests of leases", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([1, 30, 150])("pass a machine that takes %i ms from one step to the next", async (step) => {
    clockOfSteps(step);
    expect(await failures(ReferenceStorage)).toEqual([]);
  });

  it.each(Object.entries(faults))("fail a storage that %s", async (_, [found, Faulty]) => {
    clockOfSteps(1);
    expect(await failures(Faulty, found)).toEqual([found]);
  });
});
