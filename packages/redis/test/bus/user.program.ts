import { serveDriverUser } from "@cacheme/test-services/bus/bus-user";
import * as cacheme from "cacheme";
import { redis, redisBus } from "../../src/index.js";

await serveDriverUser(cacheme, { storage: redis, bus: redisBus });
