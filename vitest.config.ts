import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * Tests import the TypeScript sources, so that an edit needs no build before its test. "import", "require" and "default"
 * are added where they hold; named here, "import" would also hold for every require() of the test processes, and a package
 * that has both forms (pg-pool) would answer with the wrong one.
 */
const conditions = ["@cacheme/source", "node"];

/** A project of type tests, which run through the compiler with a `tsconfig.json` of their own. */
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

/** The folder of type tests that need a compile of their own, since what they declare would reach all others. */
const apart = "test/types/registered";

/** Per package one project of tests, and one, `NAME:types`, of type tests. */
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
    // Most of the time is spent waiting for servers and their deadlines: one file at a time on two cores would be half idle.
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
