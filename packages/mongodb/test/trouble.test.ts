import { itSurvivesTrouble } from "@cacheme/test-services/network/trouble-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import * as cacheme from "cacheme";
import { mongodb } from "../src/index.js";

describeWithServer("mongodb", "two programs and a server in trouble", (server) => {
  // A stand-alone mongod answers before the write is in its journal otherwise.
  itSurvivesTrouble(server, cacheme, () => mongodb(`${server().url}/?journal=true`));
});
