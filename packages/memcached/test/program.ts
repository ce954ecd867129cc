import { runIdleScenario } from "@cacheme/test-services/idle-program";
import { memcached } from "../src/index.js";

await runIdleScenario(memcached);
