import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { publicPackages } from "./workspace.mjs";

/**
 * Removes from every `dist` what no source stands behind any more: the compiler leaves the output of a file that was
 * moved or deleted, and it would be published.
 */
export function removeStaleOutputs() {
  for (const { folder } of publicPackages()) {
    const dist = join(folder, "dist");
    if (!existsSync(dist)) continue;
    for (const output of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
      const source = output.replace(/(\.d\.ts|\.js)$/, ".ts");
      if (source !== output && !existsSync(join(folder, "src", source))) rmSync(join(dist, output));
    }
  }
}
