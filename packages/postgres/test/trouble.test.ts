import { itSurvivesTrouble } from "@cacheme/test-services/network/trouble-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import * as cacheme from "cacheme";
import { postgres } from "../src/index.js";

describeWithServer("postgres", "two programs and a server in trouble", (server) => {
  itSurvivesTrouble(server, cacheme, () => postgres(server().url));
});
