/** The same application with NestJS 12 and 11. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { compile, run } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);
const { checkShutdown } = await import(`${process.env.CACHEME_SUPPORT}/shutdown.mjs`);
const here = import.meta.dirname;

const nest11 = {
  "@nestjs/common": "11.2.10",
  "@nestjs/core": "11.2.10",
  "@nestjs/platform-express": "11.2.10",
  "@nestjs/testing": "11.2.6",
};

const paths = {
  quick: (count) => `/articles/${count}`,
  slow: (count) => `/articles/archive-${count}`,
};
const seen = [];
for (const folder of [here, await install(nest11, join(here, "with-nest-11"))]) {
  await compile(folder);
  await run([process.execPath, "--test", "dist/app.test.js"], { cwd: folder });
  seen.push(await checkShutdown([process.execPath, "dist/main.js"], folder, use, paths));
}
console.log(`NestJS 12: ${seen[0]}; NestJS 11: ${seen[1]}`);

async function use(ask) {
  const first = await ask("/articles/1");
  assert.deepEqual(JSON.parse(first.body), { id: "1", title: "Article 1", words: ["article", "1"] });
  const headers = { "content-type": "application/json" };
  const renamed = await ask("/articles/1", { method: "PUT", body: '{ "title": "On speed" }', headers });
  assert.equal(renamed.status, 204);
  assert.equal(JSON.parse((await ask("/articles/1")).body).title, "On speed");
  const { status, body } = await ask("/health");
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body).storages, [{ name: "local", failureCount: 0 }]);
}

/** Installs this program with other versions. */
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
