/**
 * node main.js FOLDER NAME [OTHERS…]: checks this runtime, and reads the entries of the others in
 * the folder.
 */
import assert from "node:assert/strict";
import { CachemeError, close, get } from "cacheme";
import { LengthNode } from "./pages.js";
import { open, read, tour, write } from "./tour.js";

const [folder, name, ...others] = process.argv.slice(2);
if (folder === undefined || name === undefined) throw new Error("Expected a folder and a name as arguments.");

await open(folder);
if (others.length === 0) {
  await tour(name);
  await write(name);
}
const readable = await read(others);
await close();
await assert.rejects(
  async () => await get(new LengthNode("late")),
  (error) => error instanceof CachemeError && error.code === "CACHEME_CLOSED",
);

// Nothing ends the process: it must end by itself.
console.log(JSON.stringify({ readable }));
