import { itKeepsItsPromises } from "@cacheme/test-services/fuzz/fuzz-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";

describeWithServer("memcached", "random operations while everything fails", (server) => {
  itKeepsItsPromises(server, new URL("fuzz.program.ts", import.meta.url), { seed: 1, withBus: false });
});
