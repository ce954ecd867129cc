#!/usr/bin/env node
// npm run bench:start-up: counts the packages of an installation and measures its import in a fresh
// process, beside two other caches for Redis. Rounds are interleaved; the figures are medians.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack, packedPackages } from "./checks/packed.mjs";
import { run } from "./lib/command.mjs";
import { build, install, toolchain } from "./lib/toolchain.mjs";

const rounds = 15;

const env = await toolchain();
const folder = mkdtempSync(join(tmpdir(), "cacheme-start-up-"));
try {
  await install(env);
  await build(env, ["cacheme", "@cacheme/redis"]);
  const packed = packedPackages(folder).filter(({ name }) => ["cacheme", "@cacheme/redis"].includes(name));
  for (const pkg of packed) await pack(env, pkg);
  const ours = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));

  /** @type {Record<string, Record<string, string>>} */
  const subjects = {
    "cacheme, @cacheme/redis, ioredis": { ...ours, ioredis: "5.11.1" },
    "cache-manager": { "cache-manager": "7.2.9" },
    "cache-manager, @keyv/redis": { "cache-manager": "7.2.9", "@keyv/redis": "5.1.6" },
    "layered-loader, ioredis": { "layered-loader": "16.1.0", ioredis: "6.0.0" },
  };
  const installed = await Promise.all(
    Object.entries(subjects).map(async ([name, dependencies], index) => {
      const place = join(folder, `${index}`);
      mkdirSync(place);
      writeFileSync(
        join(place, "package.json"),
        JSON.stringify({ private: true, type: "module", dependencies }),
      );
      await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: place });
      // ioredis is loaded only by a module that uses it.
      const imports = Object.keys(dependencies).filter((each) => each !== "ioredis");
      const program = `const begin = performance.now();
${imports.map((each) => `await import("${each}");`).join("\n")}
console.log(performance.now() - begin);`;
      writeFileSync(join(place, "program.mjs"), program);
      return {
        name,
        place,
        packages: packagesIn(join(place, "node_modules")),
        times: /** @type {number[]} */ ([]),
      };
    }),
  );
  for (let round = 0; round < rounds; round++) {
    for (const { place, times } of installed) {
      times.push(Number(await run(process.execPath, ["program.mjs"], { cwd: place })));
    }
  }
  for (const { name, packages, times } of installed) {
    const median = times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
    console.log(`${name}: ${packages} packages, ${median.toFixed(1)} ms`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

/**
 * @param {string} modules a folder `node_modules`
 * @returns {number}
 */
function packagesIn(modules) {
  return readdirSync(modules, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .reduce((sum, { name }) => sum + (name.startsWith("@") ? packagesIn(join(modules, name)) : 1), 0);
}
