import { runIdleScenario } from "@cacheme/test-services/idle-program";
import { mongodb } from "../src/index.js";

/**
 * While the driver makes a connection nobody can get at its socket, so it keeps the process for as
 * long as that may take.
 */
await runIdleScenario((url, options) => mongodb(url, { ...options, connectTimeout: "1s" }));
