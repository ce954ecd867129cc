import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** Tests import the TypeScript sources, so that an edit needs no build before its test. */
const conditions = ["@cacheme/source", "module", "node", "import", "default"];

const projects = readdirSync(new URL("./packages", import.meta.url)).map((folder) => ({
  extends: true as const,
  test: {
    name: folder === "core" ? "cacheme" : `@cacheme/${folder}`,
    root: `packages/${folder}`,
    include: ["test/**/*.test.ts"],
    typecheck: { tsconfig: "tsconfig.test.json", include: ["test/**/*.test-d.ts"] },
  },
}));

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { projects },
});
