import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A program for plain Node.js. */
export interface Program {
  readonly path: string;
  remove(): void;
}

/**
 * Bundles a TypeScript file and the workspace's sources to a program, in some 50 ms. For tests that
 * need a process of their own, such as a test that the process ends.
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
    // Bundled CommonJS modules load Node's own modules with `require`, and look for addons in their
    // folder.
    banner: {
      js:
        'import { createRequire as requirer } from "node:module"; const require = requirer(import.meta.url); ' +
        "const __dirname = import.meta.dirname;",
    },
    loader: { ".node": "copy" },
    logLevel: "silent",
  });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
