import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** Tests import the TypeScript sources, so that an edit needs no build before its test. */
const conditions = ["@cacheme/source", "module", "node", "import", "default"];

/** Per package one project of tests, and one, `NAME:types`, of type tests, which run through the compiler. */
const projects = readdirSync(new URL("./packages", import.meta.url)).flatMap((folder) => {
  const name = folder === "core" ? "cacheme" : `@cacheme/${folder}`;
  const root = `packages/${folder}`;
  return [
    { extends: true as const, test: { name, root, include: ["test/**/*.test.ts"] } },
    {
      extends: true as const,
      test: {
        name: `${name}:types`,
        root,
        include: [],
        typecheck: {
          enabled: true,
          only: true,
          tsconfig: "tsconfig.test.json",
          include: ["test/**/*.test-d.ts"],
        },
      },
    },
  ];
});

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { projects },
});
