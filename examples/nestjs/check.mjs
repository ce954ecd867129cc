/** Checks the application with NestJS 12 and with NestJS 11. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { compile, run } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);
const { checkArticlesServer } = await import(`${process.env.CACHEME_SUPPORT}/articles-server.mjs`);
const here = import.meta.dirname;

const nest11 = {
  "@nestjs/common": "11.2.10",
  "@nestjs/core": "11.2.10",
  "@nestjs/platform-express": "11.2.10",
  "@nestjs/testing": "11.2.6",
};

const rename = { body: '{ "title": "On speed" }', type: "application/json" };
const seen = [];
for (const folder of [here, await install(nest11, join(here, "with-nest-11"))]) {
  await compile(folder);
  await run([process.execPath, "--test", "dist/app.test.js"], { cwd: folder });
  seen.push(await checkArticlesServer(folder, rename));
}
console.log(`NestJS 12: ${seen[0]}; NestJS 11: ${seen[1]}`);

/** Installs this program with other versions of its dependencies. */
async function install(versions, folder) {
  for (const name of ["src", "tsconfig.json", "pnpm-workspace.yaml"]) {
    cpSync(join(here, name), join(folder, name), { recursive: true });
  }
  const manifest = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  Object.assign(manifest.dependencies, versions);
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  await run(["pnpm", "install", "--no-frozen-lockfile", "--prefer-offline"], { cwd: folder });
  return folder;
}
