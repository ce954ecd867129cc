import { itSurvivesTrouble } from "@cacheme/test-services/network/trouble-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import * as cacheme from "cacheme";
import { mongodb } from "../src/index.js";

describeWithServer("mongodb", "two programs and a server in trouble", (server) => {
  itSurvivesTrouble(server, cacheme, () => mongodb(server().url));
});
