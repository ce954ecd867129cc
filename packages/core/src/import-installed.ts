import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigurationError, isError } from "./errors.js";

/**
 * Imports a package that the program has installed: first as this package sees others, then as the
 * program does. In a strict installation only the program sees the packages that it has installed.
 */
export async function importInstalled(name: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await load(name);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const path = resolveFrom(name, process.argv[1]) ?? resolveFrom(name, join(process.cwd(), "index.js"));
    if (path === undefined) throw error;
    return await load(path);
  }
}

/**
 * Imports a peer that a feature needs.
 *
 * @param user the feature's name in the error
 * @param otherwise a sentence of the error that names another way
 * @throws ConfigurationError `CACHEME_MISSING_PACKAGE`
 */
export async function importPeer(name: string, user: string, otherwise: string = ""): Promise<unknown> {
  try {
    return await importInstalled(name);
  } catch (cause) {
    throw new ConfigurationError(
      "CACHEME_MISSING_PACKAGE",
      `${user} needs the package ${name}, which could not be loaded. Install it: npm install ${name}.${otherwise}`,
      { cause },
    );
  }
}

/**
 * Imports a module. The comments tell webpack, Rspack and Vite not to look for it, because only the
 * running program knows the package. The CommonJS build has a `require`, and needs it under Jest,
 * which cannot import from CommonJS.
 */
async function load(nameOrPath: string): Promise<Readonly<Record<string, unknown>>> {
  const ownModule = commonJsModule();
  if (typeof ownModule?.require === "function") return ownModule.require(nameOrPath);
  return await import(/* webpackIgnore: true */ /* @vite-ignore */ specifierOf(nameOrPath));
}

function specifierOf(nameOrPath: string): string {
  return isAbsolute(nameOrPath) ? pathToFileURL(nameOrPath).href : nameOrPath;
}

/**
 * Returns the `module` of a CommonJS module. An ES module has none. A separate function hides
 * `module.require` from webpack.
 */
function commonJsModule(): typeof module {
  return typeof module === "object" ? module : undefined;
}

declare const module: { require?: (name: string) => Readonly<Record<string, unknown>> } | undefined;

function resolveFrom(name: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    // Not imported, because webpack follows the calls of a createRequire that it knows.
    const { createRequire } = process.getBuiltinModule("node:module");
    return createRequire(file).resolve(name);
  } catch {
    return undefined;
  }
}

/** Returns whether an import has failed because there is no such package. */
export function isMissing(error: unknown): boolean {
  const code = isError(error) && "code" in error ? error.code : undefined;
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}
