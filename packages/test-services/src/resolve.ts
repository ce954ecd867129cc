import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { aptInstall, isTrue, mayInstall } from "./apt.js";
import { catalogue, type ServiceName } from "./catalogue.js";
import { dockerAnswers } from "./docker.js";
import type { ServiceDefinition } from "./service-definition.js";

/** Where a service comes from on this machine. */
export type Resolution =
  | { readonly from: "url"; readonly url: string }
  | { readonly from: "binary"; readonly path: string; readonly installed?: boolean }
  | { readonly from: "docker" }
  | { readonly from: "nowhere"; readonly reason: string };

/** What `prepare` found, for the test processes that follow: see {@link resolveServer}. */
export type Prepared = { readonly [name in ServiceName]?: Resolution };

/**
 * A service for tests that only use it: the address in its variable, else as {@link resolveServer}.
 */
export function resolveService(name: ServiceName): Resolution {
  const url = process.env[catalogue[name].urlVariable];
  return url === undefined || url === "" ? resolveServer(name) : { from: "url", url };
}

/**
 * A server of our own, for tests that kill and pause it: what `prepare` found, else a program on PATH, else Docker. The
 * variable with an address is not looked at: that server is not ours to kill.
 */
export function resolveServer(name: ServiceName): Resolution {
  const definition = catalogue[name];
  return readPrepared()[name] ?? onPath(definition) ?? inDocker(definition);
}

/** Like {@link resolveServer} from the start, and may install a package on a machine of CI: once, before the tests. */
export function prepareServer(name: ServiceName): Resolution {
  const definition = catalogue[name];
  const found = onPath(definition);
  if (found !== undefined || !mayInstall()) return found ?? inDocker(definition);

  const trouble = aptInstall(definition.debianPackages);
  const installed = onPath(definition);
  if (installed !== undefined) return { ...installed, installed: true };
  const elsewhere = inDocker(definition);
  if (elsewhere.from !== "nowhere" || trouble === undefined) return elsewhere;
  return { from: "nowhere", reason: `${elsewhere.reason} ${trouble}` };
}

/** Whether a service that is missing is a failure and not only a skip. */
export function everythingIsRequired(): boolean {
  return isTrue(process.env.CI);
}

/** What a person can do to have the service. */
export function howToGet(name: ServiceName): string {
  const { title, urlVariable, debianPackages, binaries } = catalogue[name];
  return (
    `To have ${title}: install it so that ${binaries[0]} is on PATH (Debian, Ubuntu: apt-get install ${debianPackages.join(" ")}), ` +
    `or start Docker, or set ${urlVariable} (suites that kill the server still need one of the first two).`
  );
}

function onPath({
  binaries,
  folders: others,
}: ServiceDefinition): { from: "binary"; path: string } | undefined {
  // /usr/sbin is where distributions put servers, and is not on every user's PATH.
  const usual = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin"];
  const folders = [...usual, ...(others?.() ?? [])];
  for (const binary of binaries) {
    for (const folder of folders) {
      const path = join(folder, binary);
      if (folder !== "" && isExecutable(path)) return { from: "binary", path };
    }
  }
  return undefined;
}

function inDocker({ title, binaries, container }: ServiceDefinition): Resolution {
  if (container !== undefined && dockerAnswers()) return { from: "docker" };
  return {
    from: "nowhere",
    reason: `${title} is not here: no ${binaries.join(" or ")} on PATH, no Docker engine answers.`,
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readPrepared(): Prepared {
  const path = process.env.CACHEME_SERVICES_FILE;
  if (path === undefined || path === "") return {};
  // Written by prepare.ts of this package in the same run.
  return JSON.parse(readFileSync(path, "utf8")) as Prepared;
}
