import { describeBusProcesses } from "@cacheme/test-services/bus/bus-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";

describeWithServer("postgres", "postgresBus() between processes", (server) => {
  describeBusProcesses(server, new URL("user.program.ts", import.meta.url));
});
