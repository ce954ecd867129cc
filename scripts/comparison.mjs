#!/usr/bin/env node
// The end of npm run compare: writes the recorded results into docs/comparison.md.
import { readFileSync, writeFileSync } from "node:fs";
import { page, recordedResults, withTables } from "./lib/comparison-table.mjs";

writeFileSync(page, withTables(readFileSync(page, "utf8"), recordedResults()));
