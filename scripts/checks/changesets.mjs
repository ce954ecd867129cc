import { CommandError, run } from "../lib/command.mjs";

/**
 * Checks that a changeset names each published package with changed sources. It compares with the
 * last release, or before the first release with the first commit.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export async function checkChangesets(env) {
  const since = (await lastRelease()) ?? (await firstCommit());
  await run("changeset", ["status", `--since=${since}`], { env });
  return `since ${since.slice(0, 20)}`;
}

/** `changeset tag` marks a release with a tag for each package. */
async function lastRelease() {
  try {
    return (
      await run("git", ["describe", "--tags", "--abbrev=0", "--match=*@*"], { stdoutOnly: true })
    ).trim();
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

async function firstCommit() {
  const commits = await run("git", ["rev-list", "--max-parents=0", "HEAD"], { stdoutOnly: true });
  return commits.trim().split("\n")[0] ?? "HEAD";
}
