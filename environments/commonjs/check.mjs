// Runs a TypeScript program with each tool that compiles it to CommonJS, and requires each package.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { transformSync } from "@swc/core";

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** @type {Record<string, string[]>} what Node.js is started with */
const ways = {
  "module node16": ["out/main.js"],
  "ts-node": ["--require", "ts-node/register", "src/main.ts"],
  tsx: ["--import", "tsx", "src/main.ts"],
  "SWC's register": ["--require", "@swc-node/register", "src/main.ts"],
  "SWC, legacy decorators": ["out/legacy.js"],
  "SWC, standard decorators": ["out/standard.js"],
};

await everyPackageIsRequired();
await run(process.execPath, [require.resolve("typescript/bin/tsc")]);
writeFileSync("out/legacy.js", compiledBySwc({ legacyDecorator: true, decoratorMetadata: true }));
writeFileSync("out/standard.js", compiledBySwc({ decoratorVersion: "2022-03" }));
for (const [name, parameters] of Object.entries(ways)) {
  const { stdout } = await run(process.execPath, parameters);
  assert.deepEqual(
    JSON.parse(stdout),
    {
      isSame: true,
      day: 0,
      loads: 2,
      greetings: ["hello Ada", "hello Ada"],
      calls: 1,
      code: "CACHEME_DUPLICATE_STORAGE",
      known: [2, 2],
      isCommonJs: true,
    },
    name,
  );
}
process.stdout.write(`${Object.keys(ways).length} ways to CommonJS\n`);

/** `require` returns the same exports as `import`. */
async function everyPackageIsRequired() {
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const names = Object.keys(dependencies).filter(
    (name) => name === "cacheme" || name.startsWith("@cacheme/"),
  );
  assert.equal(names.length, 10);
  for (const name of [...names, "cacheme/driver"]) {
    const required = Object.keys(require(name));
    const imported = Object.keys(await import(name)).filter(
      (key) => key !== "default" && key !== "module.exports",
    );
    assert.deepEqual(required.sort(), imported.sort(), name);
  }
}

/** @param {object} decorators how they are compiled */
function compiledBySwc(decorators) {
  return transformSync(readFileSync("src/main.ts", "utf8"), {
    filename: "main.ts",
    swcrc: false,
    module: { type: "commonjs" },
    jsc: { target: "es2022", parser: { syntax: "typescript", decorators: true }, transform: decorators },
  }).code;
}
