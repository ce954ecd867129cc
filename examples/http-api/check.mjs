import assert from "node:assert/strict";

const { start } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);

// `npm test` has compiled the program with all packages of the workspace.
const server = start([process.execPath, "dist/main.js"], {
  cwd: import.meta.dirname,
  env: { ...process.env, PORT: "0" },
});
const [address] = await server.prints(/http:\/\/[\d.:]+/);
const read = async (path) => (await fetch(`${address}${path}`)).json();

const answers = await Promise.all(Array.from({ length: 100 }, () => read("/articles/1")));
for (const answer of answers) {
  assert.deepEqual(answer, { id: "1", title: "On tiers", words: ["on", "tiers"] });
}
const { loadCount, coalescedCount } = await read("/stats");
assert.equal(loadCount, 2, "one load of the article and one of its words");

const { status } = await fetch(`${address}/articles/1`, { method: "PUT", body: "On speed" });
assert.equal(status, 204);
assert.equal((await read("/articles/1")).title, "On speed");
assert.equal((await fetch(`${address}/articles/none`)).status, 404);

server.child.kill("SIGTERM");
await server.ended;
console.log(`100 requests shared 2 loads; ${coalescedCount} reads joined one`);
