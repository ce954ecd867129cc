import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A program that plain Node.js can run. */
export interface Program {
  readonly path: string;
  remove(): void;
}

/**
 * Makes a program out of a TypeScript file and the workspace's sources, in some 50 ms: for tests of what only a process
 * of its own can show, such as that it ends by itself.
 */
export async function bundleProgram(source: URL): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "cacheme-test-program-"));
  const path = join(folder, "program.mjs");
  await build({
    entryPoints: [fileURLToPath(source)],
    outfile: path,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@cacheme/source"],
    // What is bundled of CommonJS asks for Node's own modules with require.
    banner: {
      js: 'import { createRequire as requirer } from "node:module"; const require = requirer(import.meta.url);',
    },
    loader: { ".node": "copy" },
    logLevel: "silent",
  });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
