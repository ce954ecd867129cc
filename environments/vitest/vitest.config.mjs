import { defineConfig } from "vitest/config";

const include = ["test/*.test.mjs"];

export default defineConfig({
  test: {
    maxWorkers: 1,
    projects: [
      { test: { name: "forks", pool: "forks", include } },
      { test: { name: "vmThreads", pool: "vmThreads", include } },
      // Vite also transforms the package, as it does with linked packages.
      { test: { name: "inlined", pool: "threads", include, server: { deps: { inline: true } } } },
    ],
  },
});
