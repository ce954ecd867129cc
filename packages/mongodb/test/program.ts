import { readsColdKey, runColdReaders } from "@cacheme/test-services/cold-program";
import { type MakeIdleStorage, runIdleScenario } from "@cacheme/test-services/idle-program";
import * as cacheme from "cacheme";
import { mongodb } from "../src/index.js";

/**
 * While the driver makes a connection nobody can get at its socket, so it keeps the process for as
 * long as that may take.
 */
const make: MakeIdleStorage = (url, options) => mongodb(url, { ...options, connectTimeout: "1s" });

await (readsColdKey ? runColdReaders(cacheme, mongodb) : runIdleScenario(make));
