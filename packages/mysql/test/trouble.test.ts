import { itSurvivesTrouble } from "@cacheme/test-services/network/trouble-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import * as cacheme from "cacheme";
import { mysql } from "../src/index.js";

describeWithServer("mysql", "two programs and a server in trouble", (server) => {
  itSurvivesTrouble(server, cacheme, () => mysql(server().url));
});
