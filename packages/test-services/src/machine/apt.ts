import { existsSync, rmSync, writeFileSync } from "node:fs";
import { runCommand } from "./command.js";

const policy = "/usr/sbin/policy-rc.d";

/** Whether this process may install packages of Debian or Ubuntu: as root, and only on a machine of CI. */
export function mayInstall(): boolean {
  const isRoot = process.getuid?.() === 0;
  return (
    isRoot && isTrue(process.env.CI) && existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get")
  );
}

/** `CI=true` and `CI=1` are both in use. */
export function isTrue(variable: string | undefined): boolean {
  return variable === "true" || variable === "1";
}

/**
 * Installs packages and starts nothing: a package of a server would start it on its usual port, where a test could
 * take it for its own.
 *
 * @returns `undefined` when they are installed, else the reason
 */
export function aptInstall(names: readonly string[]): string | undefined {
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    // The lists of a machine that was just set up may be missing or old: they are fetched only when they are the trouble.
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
