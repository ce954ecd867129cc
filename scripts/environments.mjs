#!/usr/bin/env node
// npm run environments [-- NAME…]: packs the packages and runs the named programs of environments/
// and examples/, or all. The folder of the programs is kept.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentSteps } from "./checks/environments.mjs";
import { pack, packedPackages } from "./checks/packed.mjs";
import { Report } from "./lib/report.mjs";
import { build, install, toolchain } from "./lib/toolchain.mjs";

const folder = mkdtempSync(join(tmpdir(), "cacheme-environments-"));
const env = await toolchain();
await install(env);
await build(env);
const packed = packedPackages(folder);
const report = new Report();
await report.run(packed.map((pkg) => ({ name: `${pkg.name} packs`, check: () => pack(env, pkg) })));
await report.run(environmentSteps(env, folder, packed, process.argv.slice(2)), 2);
console.log(`\nThe programs are in ${folder}.`);
process.exitCode = report.hasFailed ? 1 : 0;
