import { itSurvivesTrouble } from "@cacheme/test-services/network/trouble-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import * as cacheme from "cacheme";
import { redis } from "../src/index.js";

describeWithServer("redis", "two programs and a server in trouble", (server) => {
  itSurvivesTrouble(server, cacheme, () => redis(server().url));
});
