import { runFuzzProcess } from "@cacheme/test-services/fuzz/fuzz-program";
import * as cacheme from "cacheme";
import { postgres, postgresBus } from "../src/index.js";

await runFuzzProcess(cacheme, { storage: postgres, bus: postgresBus });
