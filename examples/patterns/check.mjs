import assert from "node:assert/strict";

const { compile, start } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);

await compile(import.meta.dirname);
const program = start([process.execPath, "dist/main.js"], { cwd: import.meta.dirname });
const printed = await program.ended;
for (const line of [
  'read-through: 100 reads of "On tiers" cost 1 query',
  'cache-aside: "On tiers" became "On speed" with 2 queries',
  'write-through: "Ada" is in the table after 1 write, and was read with 0 queries',
  'write-around: of 100 saved lines the cache kept none; "line 7" was read as the table has it',
]) {
  assert.ok(printed.includes(line), `expected ${line}, got:\n${printed}`);
}
const [, writes] =
  /write-behind: 1000 saves were (\d+) write of the table; the newest, 1000, /.exec(printed) ?? [];
assert.ok(Number(writes) >= 1 && Number(writes) <= 50, `expected few writes, got:\n${printed}`);
const [, waited, reads] = /refresh-ahead: (\d+) of (\d+) reads waited/.exec(printed) ?? [];
assert.ok(Number(waited) <= Number(reads) / 4, `expected few reads that waited, got:\n${printed}`);
console.log(`six patterns; 1000 saves behind were ${writes} writes`);
