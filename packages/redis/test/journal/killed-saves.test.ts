import { randomBytes } from "node:crypto";
import { describeKilledSaves } from "@cacheme/test-services/journal/killed-saves-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";

describeWithServer("redis", "a journal whose process is killed", (server) => {
  describeKilledSaves(
    () => `${server().url}#killed-${randomBytes(6).toString("hex")}`,
    new URL("killed-saves.program.ts", import.meta.url),
  );
});
