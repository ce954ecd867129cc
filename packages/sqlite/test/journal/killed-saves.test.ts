import { fileURLToPath } from "node:url";
import { describeKilledSaves } from "@cacheme/test-services/journal/killed-saves-tests";
import { place } from "../place.js";

describeKilledSaves(() => place("writes.db"), new URL("killed-saves.program.ts", import.meta.url), {
  // The program stands in another folder, from where the library would not be found.
  env: { ...process.env, NODE_PATH: fileURLToPath(new URL("../../node_modules", import.meta.url)) },
});
