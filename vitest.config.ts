import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * Export conditions. Tests import the TypeScript sources, so that you need not build before a test.
 * Vitest adds "import", "require" and "default" itself. If "import" were here, it would also apply
 * to `require()` in the test processes, and a package with both forms (pg-pool) would return the
 * wrong one.
 */
const conditions = ["@cacheme/source", "node"];

/** Returns a project of type tests, which the compiler runs with its own `tsconfig.json`. */
const typeTests = (
  name: string,
  root: string,
  { tsconfig, include, exclude = [] }: { tsconfig: string; include: string; exclude?: string[] },
) => ({
  extends: true as const,
  test: {
    name,
    root,
    include: [],
    typecheck: {
      enabled: true,
      only: true,
      tsconfig,
      include: [include],
      exclude: ["**/node_modules/**", ...exclude],
    },
  },
});

/**
 * The folder of type tests that are compiled separately, because their declarations would affect
 * all others.
 */
const apart = "test/types/registered";

/** A project of tests for each package, and a project of type tests, `NAME:types`. */
const projects = readdirSync(new URL("./packages", import.meta.url)).flatMap((folder) => {
  const name = folder === "core" ? "cacheme" : `@cacheme/${folder}`;
  const root = `packages/${folder}`;
  return [
    { extends: true as const, test: { name, root, include: ["test/**/*.test.ts"] } },
    typeTests(`${name}:types`, root, {
      tsconfig: "tsconfig.test.json",
      include: "test/**/*.test-d.ts",
      exclude: [`${apart}/**`],
    }),
  ];
});

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    // Tests mostly wait for servers and deadlines: one file at a time would leave two cores half
    // idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      ...projects,
      { extends: true, test: { name: "scripts", root: "scripts", include: ["**/*.test.mjs"] } },
      typeTests("cacheme:registered:types", "packages/core", {
        tsconfig: `${apart}/tsconfig.json`,
        include: `${apart}/*.test-d.ts`,
      }),
    ],
  },
});
