import { readsColdKey, runColdReaders } from "@cacheme/test-services/cold-program";
import { runIdleScenario } from "@cacheme/test-services/idle-program";
import * as cacheme from "cacheme";
import { postgres } from "../src/index.js";

await (readsColdKey ? runColdReaders(cacheme, postgres) : runIdleScenario(postgres));
