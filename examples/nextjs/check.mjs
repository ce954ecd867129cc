// Runs the application with both of Next's bundlers, in development and in production, and reads
// from it over HTTP.
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { runNext, startNext, until } from "./check/next.mjs";

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1)); // Ends the servers too.

for (const bundler of ["--turbopack", "--webpack"]) {
  await withServer(["dev", bundler], async (server) => {
    await checkShared(server.address);
    await checkEdit(server);
    assert.equal(server.output().split("[CACHEME_DUPLICATE_NODE]").length - 1, 1, server.output());
  });
  rmSync(".next", { recursive: true, force: true });
  checkQuiet(await runNext(["build", bundler]));
  await withServer(["start"], async (server) => {
    await checkShared(server.address);
    checkQuiet(server.output());
  });
  rmSync(".next", { recursive: true, force: true });
}
console.log(
  "one memory for pages and route handlers with Turbopack and webpack, in development and in production",
);

/** @typedef {import("./check/next.mjs").Server} Server */

/**
 * @param {string[]} parameters
 * @param {(server: Server) => Promise<void>} check
 */
async function withServer(parameters, check) {
  const server = await startNext(parameters);
  try {
    await check(server);
  } catch (error) {
    console.error(`next ${parameters.join(" ")} printed:\n${server.output()}`);
    throw error;
  } finally {
    await server.end();
  }
}

/**
 * The page and the route handler find each other's entries. The page sees the route handler's
 * removals.
 *
 * @param {string} address
 */
async function checkShared(address) {
  const page = await pageOf(address, "1");
  const answer = await json(`${address}/api/articles/1`);
  assert.deepEqual([answer.query, answer.author.name], [page.query, page.author]);

  const other = await json(`${address}/api/articles/2`);
  assert.equal((await pageOf(address, "2")).query, other.query);

  const title = `Renamed ${page.query}`;
  const { status } = await fetch(`${address}/api/articles/1`, { method: "PUT", body: title });
  assert.deepEqual([status, (await pageOf(address, "1")).title], [204, title]);

  await submit(`${address}/articles/1`, "By the form");
  assert.equal((await json(`${address}/api/articles/1`)).title, "By the form");

  const { nodes, storages } = await json(`${address}/api/stats`);
  assert.deepEqual({ nodes, storages }, { nodes: ["article", "author"], storages: ["local"] });
}

/**
 * An edit of the nodes' file reaches the page and the route handler, which still share entries.
 *
 * @param {Server} server
 */
async function checkEdit({ address, output }) {
  const source = readFileSync("nodes.ts", "utf8");
  const edited = source.replace("db.article(id)", "db.article(id, { upperCase: true })");
  assert.notEqual(edited, source);
  const { title } = await pageOf(address, "1");
  writeFileSync("nodes.ts", edited);
  try {
    await until(async () => (await pageOf(address, "1")).title === title.toUpperCase(), output);
    const answer = await json(`${address}/api/articles/1`);
    assert.deepEqual([answer.title, answer.query], [title.toUpperCase(), (await pageOf(address, "1")).query]);
  } finally {
    writeFileSync("nodes.ts", source);
  }
}

/**
 * @param {string} address
 * @param {string} id
 */
async function pageOf(address, id) {
  const html = await text(`${address}/articles/${id}`);
  const [found, query, title = "", author] =
    /<article data-query="(.+?)"><h1>(.+?)<\/h1><p>(.+?)<\/p>/.exec(html) ?? [];
  assert.ok(found, html);
  return { query, title, author };
}

/**
 * Submits the page's form like a browser without scripts, which calls the server action.
 *
 * @param {string} page
 * @param {string} title
 */
async function submit(page, title) {
  const form = new FormData();
  for (const [, name = "", value = ""] of (await text(page)).matchAll(
    /<input type="hidden" name="(.+?)"(?: value="(.*?)")?\/>/g,
  )) {
    form.append(name, value.replaceAll("&quot;", '"'));
  }
  form.append("title", title);
  const { origin } = new URL(page);
  const { status } = await fetch(page, { method: "POST", headers: { origin }, body: form });
  assert.equal(status, 200);
}

/** @param {string} url */
async function json(url) {
  return JSON.parse(await text(url));
}

/** @param {string} url */
async function text(url) {
  const response = await fetch(url);
  const body = await response.text();
  assert.equal(response.status, 200, `${url}: ${body}`);
  return body;
}

/** @param {string} output */
function checkQuiet(output) {
  // In CI Next.js recommends keeping its cache between builds, which is no warning about this
  // program.
  const own = output.replace(/^.*No build cache found.*$/m, "");
  assert.doesNotMatch(own, /warn|error|⚠|⨯/i);
}
