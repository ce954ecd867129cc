import { runIdleScenario } from "@cacheme/test-services/idle-program";
import { redis } from "../src/index.js";

await runIdleScenario(redis);
