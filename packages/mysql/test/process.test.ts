import { describeColdReaders } from "@cacheme/test-services/cold-tests";
import { describeIdlePrograms } from "@cacheme/test-services/idle-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";

const source = new URL("program.ts", import.meta.url);

describeWithServer("mysql", "the storage in a process of its own", (server) => {
  describeColdReaders(() => server().url, source);
  describeIdlePrograms(server, source);
});
