import { itSurvivesTrouble } from "@cacheme/test-services/network/trouble-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import * as cacheme from "cacheme";
import { memcached } from "../src/index.js";

describeWithServer("memcached", "two programs and a server in trouble", (server) => {
  itSurvivesTrouble(server, cacheme, () => memcached(server().url));
});
