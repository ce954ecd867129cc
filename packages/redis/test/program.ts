import { readsColdKey, runColdReaders } from "@cacheme/test-services/cold-program";
import { runIdleScenario } from "@cacheme/test-services/idle-program";
import * as cacheme from "cacheme";
import { redis } from "../src/index.js";

await (readsColdKey ? runColdReaders(cacheme, redis) : runIdleScenario(redis));
