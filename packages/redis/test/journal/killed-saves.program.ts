/** A program that saves into a journal, and is killed meanwhile. */
import { runKilledSaves } from "@cacheme/test-services/journal/killed-saves-program";
import * as cacheme from "cacheme";
import { redisJournal } from "../../src/index.js";

await runKilledSaves(cacheme, (place) => {
  const [url = "", name = ""] = place.split("#");
  return redisJournal(url, { name });
});
