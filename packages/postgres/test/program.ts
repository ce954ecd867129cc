import { runIdleScenario } from "@cacheme/test-services/idle-program";
import { postgres } from "../src/index.js";

await runIdleScenario(postgres);
