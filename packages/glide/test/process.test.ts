import { describeIdlePrograms } from "@cacheme/test-services/idle-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";

describeWithServer("redis", "the storage in a process of its own", (server) => {
  describeIdlePrograms(server, new URL("program.ts", import.meta.url));
});
