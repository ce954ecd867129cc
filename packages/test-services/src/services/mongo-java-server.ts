import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, publish } from "../machine/cache-folder.js";
import { runCommand } from "../machine/command.js";
import { onPath } from "../machine/on-path.js";
import type { ServerPlace, Substitute } from "./service-definition.js";

const version = "1.47.0";

/**
 * The files that are copied from this package into the cache: the list of jars, and the launcher.
 */
const sources = ["pom.xml", "Launcher.java"];

/**
 * An independent server of MongoDB's wire protocol, for machines without MongoDB. It has no TTL
 * monitor, no updates by pipeline and no sessions. All acknowledged writes survive a SIGKILL.
 */
export const mongoJavaServer: Substitute = {
  title: `mongo-java-server ${version}`,
  debianPackages: ["default-jdk-headless", "maven"],
  find: () => (existsSync(join(home(), "classes")) ? onPath(["java"]) : undefined),
  fetch,
  arguments: words,
};

/** Returns the folder in the cache. `fetch` checks whether its content matches this checkout. */
function home(): string {
  return join(cacheFolder(), `mongo-java-server-${version}`);
}

function words({ host, port, folder }: ServerPlace): readonly string[] {
  const classpath = `${join(home(), "classes")}:${join(home(), "jars", "*")}`;
  // A short-lived server starts faster without the optimising compiler.
  const speed = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m"];
  return [...speed, "-cp", classpath, "Launcher", host, String(port), join(folder, "data.mv")];
}

function fetch(): string | undefined {
  if (isFresh()) return onPath(["java"]) === undefined ? "There is no java on PATH." : undefined;
  const draft = `${home()}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    for (const name of sources) copyFileSync(source(name), join(draft, name));
    const trouble = runCommand(copyJars, { cwd: draft }) ?? runCommand(compile, { cwd: draft });
    if (trouble !== undefined) return trouble;
    // Servers that still run from the old folder have its files open.
    if (!isFresh()) rmSync(home(), { recursive: true, force: true });
    publish(draft, home(), isFresh);
    return undefined;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const copyJars = [
  ...["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies"],
  ...["-DincludeScope=runtime", "-DoutputDirectory=jars"],
];

const compile = ["javac", "--release", "17", "-cp", "jars/*", "-d", "classes", "Launcher.java"];

function isFresh(): boolean {
  return sources.every((name) => {
    const copy = join(home(), name);
    return existsSync(copy) && readFileSync(copy).equals(readFileSync(source(name)));
  });
}

function source(name: string): string {
  return fileURLToPath(new URL(`../../mongo-java-server/${name}`, import.meta.url));
}
