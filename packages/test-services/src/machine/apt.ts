import { existsSync, rmSync, writeFileSync } from "node:fs";
import { runCommand } from "./command.js";

const policy = "/usr/sbin/policy-rc.d";

/**
 * Returns whether this process may install packages of Debian or Ubuntu: as root, on a machine of
 * CI.
 */
export function mayInstall(): boolean {
  const isRoot = process.getuid?.() === 0;
  return (
    isRoot && isTrue(process.env.CI) && existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get")
  );
}

/** Accepts `true` and `1`, because CI systems set `CI` to either. */
export function isTrue(variable: string | undefined): boolean {
  return variable === "true" || variable === "1";
}

/**
 * Installs packages without starting their services. A service on its usual port could be mistaken
 * for a test's own server.
 *
 * @returns `undefined` if the packages are installed, else the reason
 */
export function aptInstall(names: readonly string[]): string | undefined {
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    // A new machine may have no lists of packages, or old ones. Fetching them is slow, so a first
    // try goes without.
    return install(names) && (aptGet(["update"]) ?? install(names));
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function install(names: readonly string[]): string | undefined {
  return aptGet(["install", "--yes", "--no-install-recommends", ...names]);
}

function aptGet(words: readonly string[]): string | undefined {
  return runCommand(["apt-get", ...words], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
  });
}
