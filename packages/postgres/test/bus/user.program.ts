import { serveDriverUser } from "@cacheme/test-services/bus/bus-user";
import * as cacheme from "cacheme";
import { postgres, postgresBus } from "../../src/index.js";

await serveDriverUser(cacheme, { storage: postgres, bus: postgresBus });
