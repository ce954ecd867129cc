import { startRedisCluster } from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { journalCompliance } from "@cacheme/testkit/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisJournalOptions, redisJournal } from "../../src/index.js";
import { type Together, wholeCluster } from "../several-servers.js";

describeWithServer("redis", "journals in one server", (server) => {
  journalCompliance({
    name: "redisJournal",
    create: (place) => redisJournal(server().url, { name: place }),
  });
});

describeWithServer("redis", "journals in a Cluster", () => {
  let cluster: Together | undefined;
  let stop: (() => Promise<unknown>) | undefined;
  beforeAll(async () => {
    const servers = await startRedisCluster();
    cluster = wholeCluster(servers);
    stop = () => servers.stop();
  });
  afterAll(() => stop?.());
  journalCompliance({
    name: "redisJournal, Cluster",
    create: (place) => redisJournal(cluster?.url ?? "", { name: place }),
  });
});

describe("the options of a journal", () => {
  it.each([
    [{ name: "{a}" }, "CACHEME_INVALID_OPTION"],
    [{ commandTimeout: "soon" }, "CACHEME_INVALID_DURATION"],
    [{ names: "a" }, "CACHEME_INVALID_OPTION"],
  ])("are checked: %o", (options, code) => {
    expect(() => redisJournal("redis://localhost", options as RedisJournalOptions)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
