/** A program that saves into a journal, and is killed meanwhile. */
import { runKilledSaves } from "@cacheme/test-services/journal/killed-saves-program";
import * as cacheme from "cacheme";
import { sqliteJournal } from "../../src/index.js";

await runKilledSaves(cacheme, (place) => sqliteJournal(place));
