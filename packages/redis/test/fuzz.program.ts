import { runFuzzProcess } from "@cacheme/test-services/fuzz/fuzz-program";
import * as cacheme from "cacheme";
import { redis, redisBus } from "../src/index.js";

await runFuzzProcess(cacheme, { storage: redis, bus: redisBus });
