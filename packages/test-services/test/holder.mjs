/** A test process that starts a server and then does nothing: it is there to be killed. */
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const source = fileURLToPath(new URL("../src/service.ts", import.meta.url));
const { module } = await runnerImport(source, { configFile: false, logLevel: "error" });
const redis = await module.server("redis");
process.send({ port: redis.port });
setInterval(() => {}, 1000);
