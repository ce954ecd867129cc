import { runIdleScenario } from "@cacheme/test-services/idle-program";
import { mysql } from "../src/index.js";

await runIdleScenario(mysql);
