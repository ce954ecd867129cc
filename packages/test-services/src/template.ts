import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, existsSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Account, unprivileged } from "./account.js";
import { cacheFolder } from "./cache-folder.js";
import { temporaryFolder } from "./folder.js";
import type { ServiceDefinition } from "./service-definition.js";
import { slug } from "./slug.js";

/** A program and its words, as {@link ServiceDefinition.template} names them. */
type Command = readonly [program: string, ...words: string[]];

/**
 * Fills a server's new folder with the data that a fresh server of its kind begins with. Databases take seconds to lay
 * such data out; so it is laid out once and copied from then on, in some 30 ms.
 */
export function layOut(definition: ServiceDefinition, binary: string, folder: string): void {
  const account = definition.refusesRoot === true ? unprivileged() : undefined;
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const template = makeTemplate(definition, binary);
  if (template !== undefined) run(["cp", "-a", `${template}/.`, folder]);
}

/** Lays the data out unless that has been done before; `prepare` does it before the tests. */
export function makeTemplate(definition: ServiceDefinition, binary: string): string | undefined {
  if (definition.template === undefined) return undefined;
  const template = join(cacheFolder(), `${slug(definition.title)}-${fingerprint(definition, binary)}`);
  if (existsSync(template)) return template;

  const account = definition.refusesRoot === true ? unprivileged() : undefined;
  const folder = temporaryFolder(`${slug(definition.title)}-template`);
  const copy = `${template}.${process.pid}`;
  try {
    if (account !== undefined) chownSync(folder, account.uid, account.gid);
    for (const command of definition.template(binary, folder)) run(command, account, folder);
    run(["cp", "-a", folder, copy]);
    publish(copy, template);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(copy, { recursive: true, force: true });
  }
  return template;
}

/** Other programs, and other ways to lay the data out, have templates of their own. */
function fingerprint(definition: ServiceDefinition, binary: string): string {
  const { size, mtimeMs } = statSync(binary);
  const recipe = definition.template?.(binary, "");
  const account = definition.refusesRoot === true ? unprivileged()?.uid : undefined;
  const parts = JSON.stringify([realpathSync(binary), size, mtimeMs, recipe, account]);
  return createHash("sha256").update(parts).digest("hex").slice(0, 12);
}

/** Two test processes may lay out the same data at once: the first one's stays. */
function publish(copy: string, template: string): void {
  try {
    renameSync(copy, template);
  } catch (error) {
    if (!existsSync(template)) throw error;
  }
}

function run([program, ...words]: Command, account?: Account, cwd?: string): void {
  const done = spawnSync(program, words, { encoding: "utf8", ...account, ...(cwd && { cwd }) });
  if (done.status === 0) return;
  const output = `${done.stdout ?? ""}${done.stderr ?? ""}`.trim().split("\n").slice(-10).join("\n");
  throw new Error(`${[program, ...words].join(" ")} failed ${done.error?.message ?? ""}:\n${output}`);
}
