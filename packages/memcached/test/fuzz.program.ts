import { runFuzzProcess } from "@cacheme/test-services/fuzz/fuzz-program";
import * as cacheme from "cacheme";
import { memcached } from "../src/index.js";

await runFuzzProcess(cacheme, { storage: memcached });
