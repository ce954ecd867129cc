/** A program that saves into a journal, and is killed meanwhile. */
import { runKilledSaves } from "@cacheme/test-services/journal/killed-saves-program";
import * as cacheme from "cacheme";
import { postgresJournal } from "../../src/index.js";

await runKilledSaves(cacheme, (place) => {
  const [url = "", table = ""] = place.split("#");
  return postgresJournal(url, { table });
});
