import { writeFileSync } from "node:fs";
import { libraries } from "./libraries.js";
import { rows } from "./rows.js";

/**
 * Tries one row with one library, in a process of its own: a library that hangs or leaves a rejection unhandled disturbs no
 * other. Prints the cell's words.
 */
const [, , rowName = "", libraryName = ""] = process.argv;
const row = rows[rowName];
const library = libraries.find(({ name }) => name === libraryName);
if (row === undefined || library === undefined)
  throw new Error(
    `expected the names of a row and of a library, got ${JSON.stringify([rowName, libraryName])}`,
  );

let unhandled = 0;
process.on("unhandledRejection", () => unhandled++);
const outcome = await row.run(library);
await new Promise((resolve) => setImmediate(resolve));
const remark = unhandled === 0 ? "" : ", and an unhandled rejection";
writeFileSync(process.stdout.fd, `${outcome}${remark}\n`);
process.exit(0);
