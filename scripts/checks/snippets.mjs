import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { CommandError, root, run } from "../lib/command.mjs";
import { filesBelow } from "../lib/files-below.mjs";
import { packages } from "../lib/workspace.mjs";

/**
 * The folder is below docs/, so that snippets resolve the packages of docs/package.json. Git
 * ignores it.
 */
const folder = join(root, "docs/.snippets");

/** Code before a page's blocks that readers do not need to see: a database, a type, a node. */
const preambles = join(root, "docs/preambles");

/**
 * A block of code on a page.
 *
 * @typedef {object} Snippet
 * @property {string} page relative to the checkout
 * @property {number} line the page's line on which the code begins
 * @property {string} code
 * @property {string | undefined} preamble
 * @property {boolean} continues whether the blocks before it on the page belong to it
 */

/**
 * Checks that each `ts` block of each page compiles, strictly, against the sources. A block is a
 * module of its own, unless words after its `ts` change that. `with=NAME` puts a preamble before
 * it. `continues` puts the page's block before it there. `fragment` skips a block that is not a
 * whole piece of code.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export async function checkSnippets(env) {
  const snippets = pages().flatMap(snippetsOf);
  checkNames(snippets);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const modules = modulesOf(snippets);
  for (const [name, { text }] of modules) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration, undefined, 2));

  try {
    await run("tsc", ["-p", folder, "--pretty", "false"], { cwd: folder, env });
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError(error.message, onPages(error.output, modules));
    throw error;
  }
  return `${snippets.length} snippets`;
}

/**
 * Checks that node classes with a remote tier have a name, because the compiler does not. On the
 * pages, storages that are not called "local" are remote.
 *
 * @param {readonly Snippet[]} snippets
 */
function checkNames(snippets) {
  const nameless = snippets.filter(({ code }) =>
    [...code.matchAll(/\bmeta: NodeMeta = (?<meta>\{[\s\S]*?\});/g)].some(
      ([, meta = ""]) => /\bstorage: "(?!local")/.test(meta) && !/\bname:/.test(meta),
    ),
  );
  if (nameless.length === 0) return;
  const places = nameless.map(
    ({ page, line }) => `${page}:${line}: a node class with a remote tier needs a name`,
  );
  throw new Error(places.join("\n"));
}

const configuration = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    noEmit: true,
    customConditions: ["@cacheme/source"],
    lib: ["es2023", "esnext.disposable", "esnext.decorators"],
    // A snippet may show something without using it.
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ["*.ts"],
};

function pages() {
  const inDocs = filesBelow(join(root, "docs"), ".md").map((name) => join("docs", name));
  const readmes = packages().map((pkg) => join(relative(root, pkg.folder), "README.md"));
  return ["README.md", ...inDocs, ...readmes].filter((page) => existsSync(join(root, page)));
}

/**
 * @param {string} page
 * @returns {Snippet[]}
 */
function snippetsOf(page) {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```(?:ts|typescript)\b(.*)\n([\s\S]*?)^```$/gm)].flatMap((match) => {
    const words = (match[1] ?? "")
      .trim()
      .split(/\s+/)
      .filter((word) => word !== "");
    if (words.includes("fragment")) return [];
    return {
      page,
      line: text.slice(0, match.index).split("\n").length + 1,
      code: match[2] ?? "",
      preamble: words.find((word) => word.startsWith("with="))?.slice("with=".length),
      continues: words.includes("continues"),
    };
  });
}

/**
 * Puts the preamble before each snippet. Snippets that continue each other are one module, so that
 * each is compiled once.
 *
 * @param {readonly Snippet[]} snippets
 */
function modulesOf(snippets) {
  /** @type {Map<string, { text: string, parts: { from: number, snippet: Snippet }[] }>} */
  const modules = new Map();
  let current = "";
  for (const snippet of snippets) {
    if (!snippet.continues || !current.startsWith(`${moduleName(snippet.page)}.`)) {
      current = `${moduleName(snippet.page)}.${snippet.line}.ts`;
      modules.set(current, { text: preambleOf(snippet), parts: [] });
    }
    const module = modules.get(current);
    if (module === undefined)
      throw new Error(`${snippet.page}:${snippet.line} continues, but has no block before it`);
    module.parts.push({ from: module.text.split("\n").length, snippet });
    // A file without imports and exports would be a script, and share its names with all others.
    module.text += snippet.code;
  }
  for (const module of modules.values()) module.text += "export {};\n";
  return modules;
}

/** @param {string} page */
function moduleName(page) {
  return page.replace(/\.md$/, "").replace(/\W+/g, "-");
}

/** @param {Snippet} snippet */
function preambleOf({ page, line, preamble }) {
  if (preamble === undefined) return "";
  const path = join(preambles, `${preamble}.ts`);
  if (!existsSync(path))
    throw new Error(`${page}:${line} expects docs/preambles/${preamble}.ts, which does not exist`);
  return readFileSync(path, "utf8");
}

/**
 * Replaces the places in the compiler's output with places on the pages.
 *
 * @param {string} output
 * @param {ReturnType<typeof modulesOf>} modules
 */
function onPages(output, modules) {
  return output.replace(/^(\S+\.ts)\((\d+),(\d+)\)/gm, (place, name, line, column) => {
    const part = modules.get(name)?.parts.findLast(({ from }) => from <= Number(line));
    if (part === undefined) return place;
    return `${part.snippet.page}:${part.snippet.line + Number(line) - part.from}:${column}`;
  });
}
