/**
 * node threads.js FOLDER: runs the main program in three threads, then again in each to read the
 * entries of the others.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { nodes } from "cacheme";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Expected a folder as the argument.");

const names = ["thread-1", "thread-2", "thread-3"];
for (const others of [[], names]) {
  await Promise.all(
    names.map(async (name) => {
      const worker = new Worker(new URL("main.js", import.meta.url), {
        argv: [folder, name, ...others],
        stdout: true, // The thread's output is not part of this program's output.
      });
      const [code] = await once(worker, "exit");
      assert.equal(code, 0, `${name} ends by itself`);
    }),
  );
}
assert.deepEqual(nodes(), [], "each thread has its own space");
console.log(JSON.stringify({ threads: names.length }));
