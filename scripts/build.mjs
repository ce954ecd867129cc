#!/usr/bin/env node
// npm run build [-- NAME…]: builds the named packages, or all, and their dependencies. turbo needs
// pnpm on PATH; this script provides it.
import { CommandError } from "./lib/command.mjs";
import { build, checkNodeVersion, install, toolchain } from "./lib/toolchain.mjs";

try {
  checkNodeVersion();
  const env = await toolchain();
  await install(env);
  console.log((await build(env, process.argv.slice(2))).trim());
} catch (error) {
  if (error instanceof CommandError) console.error(error.output);
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
