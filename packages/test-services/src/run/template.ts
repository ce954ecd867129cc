import { createHash } from "node:crypto";
import { chownSync, existsSync, realpathSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Account, accountOf } from "../machine/account.js";
import { cacheFolder, publish } from "../machine/cache-folder.js";
import { runCommand } from "../machine/command.js";
import { temporaryFolder } from "../machine/temporary-folder.js";
import type { ServiceDefinition } from "../services/service-definition.js";
import { slug } from "./slug.js";

/** A program and its arguments, as in {@link ServiceDefinition.template}. */
type Command = readonly [program: string, ...words: string[]];

/**
 * Fills a server's new folder with the data of a fresh server. Databases take seconds to create
 * that data. It is therefore created once and then copied, in some 30 ms.
 */
export function layOut(definition: ServiceDefinition, binary: string, folder: string): void {
  const account = accountOf(definition);
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const template = makeTemplate(definition, binary);
  if (template !== undefined) run(["cp", "-a", `${template}/.`, folder]);
}

/** Creates the data if it does not exist yet; `prepare` does so before the tests. */
export function makeTemplate(definition: ServiceDefinition, binary: string): string | undefined {
  if (definition.template === undefined) return undefined;
  const template = join(cacheFolder(), `${slug(definition.title)}-${fingerprint(definition, binary)}`);
  if (existsSync(template)) return template;

  const account = accountOf(definition);
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

/**
 * Identifies the program and the way in which the data is created: others have their own template.
 */
function fingerprint(definition: ServiceDefinition, binary: string): string {
  const { size, mtimeMs } = statSync(binary);
  const recipe = definition.template?.(binary, "");
  const account = accountOf(definition)?.uid;
  const parts = JSON.stringify([realpathSync(binary), size, mtimeMs, recipe, account]);
  return createHash("sha256").update(parts).digest("hex").slice(0, 12);
}

function run(command: Command, account?: Account, cwd?: string): void {
  const trouble = runCommand(command, { account, cwd });
  if (trouble !== undefined) throw new Error(trouble);
}
