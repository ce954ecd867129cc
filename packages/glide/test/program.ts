import { runIdleScenario } from "@cacheme/test-services/idle-program";
import { Logger } from "@valkey/valkey-glide";
import { glide } from "../src/index.js";

// GLIDE writes to the output, which is the result.
Logger.setLoggerConfig("off");

await runIdleScenario((url, options) => glide(url.replace(/^redis/, "glide"), options));
