import { memoryJournal } from "cacheme";
import { journalCompliance } from "../../src/vitest.js";

journalCompliance({ name: "memoryJournal", create: () => memoryJournal() });
