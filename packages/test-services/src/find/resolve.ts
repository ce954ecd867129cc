import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { aptInstall, isTrue, mayInstall } from "../machine/apt.js";
import { onPath } from "../machine/on-path.js";
import { catalogue, type ServiceName } from "../services/catalogue.js";
import type { ServiceDefinition } from "../services/service-definition.js";
import { dockerAnswers } from "./docker-engine.js";

/** The origin of a service on this machine. */
export type Resolution =
  | { readonly from: "url"; readonly url: string }
  | { readonly from: "binary"; readonly path: string; readonly installed?: boolean }
  | { readonly from: "docker" }
  | { readonly from: "substitute"; readonly path: string; readonly installed?: boolean }
  | { readonly from: "nowhere"; readonly reason: string };

/**
 * The services that `prepare` found, for the test processes after it: see {@link resolveServer}.
 */
export type Prepared = { readonly [name in ServiceName]?: Resolution };

/**
 * Finds a service for tests that only use it: the address in the service's variable, else the
 * server of {@link resolveServer}.
 */
export function resolveService(name: ServiceName): Resolution {
  const url = process.env[catalogue[name].urlVariable];
  return url === undefined || url === "" ? resolveServer(name) : { from: "url", url };
}

/**
 * Finds a server of our own, for tests that kill and pause it. The order is: the result of
 * `prepare`, a program on PATH, Docker, the substitute that `prepare` once fetched. It ignores the
 * variable with an address, because tests must not kill that server.
 */
export function resolveServer(name: ServiceName): Resolution {
  const definition = catalogue[name];
  return (
    readPrepared()[name] ??
    installed(definition) ??
    inDocker(definition) ??
    substituted(definition) ??
    nowhere(definition)
  );
}

/**
 * Finds a server without the result of `prepare`, once, before the tests. It installs packages on a
 * machine of CI, and fetches a substitute.
 */
export function prepareServer(name: ServiceName): Resolution {
  const definition = catalogue[name];
  const found = installed(definition);
  if (found !== undefined) return found;

  const trouble = install(definition.debianPackages);
  const added = installed(definition);
  if (added !== undefined) return { ...added, installed: true };
  return inDocker(definition) ?? fetchSubstitute(definition) ?? nowhere(definition, trouble);
}

/** Returns whether a missing service is a failure, instead of a skip. */
export function everythingIsRequired(): boolean {
  return isTrue(process.env.CI);
}

/** Returns a message that tells a person how to get the service. */
export function howToGet(name: ServiceName): string {
  const { title, urlVariable, debianPackages, binaries, substitute } = catalogue[name];
  const apt = debianPackages.length > 0 && ` (Debian, Ubuntu: apt-get install ${debianPackages.join(" ")})`;
  const fetched =
    substitute &&
    `or run \`npm run services\` with ${substitute.debianPackages.join(" and ")} installed, which fetches ${substitute.title}, `;
  return (
    `To get ${title}: install it so that ${binaries[0]} is on PATH${apt || ""}, or start Docker, ${fetched ?? ""}` +
    `or set ${urlVariable} (suites that kill the server still need a server of their own).`
  );
}

/** Returns the name of the server, such as `mongod`. */
export function flavourOf(name: ServiceName, resolution: Resolution): string {
  const { container, substitute, urlVariable, title } = catalogue[name];
  switch (resolution.from) {
    case "binary":
      return basename(resolution.path);
    case "docker":
      return container?.image ?? title;
    case "substitute":
      return substitute?.title ?? title;
    case "url":
      return urlVariable;
    case "nowhere":
      return "none";
  }
}

function installed({ binaries, folders }: ServiceDefinition): { from: "binary"; path: string } | undefined {
  const path = onPath(binaries, folders?.());
  return path === undefined ? undefined : { from: "binary", path };
}

function inDocker({ container }: ServiceDefinition): Resolution | undefined {
  return container !== undefined && dockerAnswers() ? { from: "docker" } : undefined;
}

function substituted({ substitute }: ServiceDefinition): Resolution | undefined {
  const path = substitute?.find();
  return path === undefined ? undefined : { from: "substitute", path };
}

function fetchSubstitute(definition: ServiceDefinition): Resolution | undefined {
  const { substitute } = definition;
  if (substitute === undefined) return undefined;
  let trouble = substitute.fetch();
  if (trouble === undefined) return substituted(definition);

  trouble = install(substitute.debianPackages) ?? substitute.fetch();
  const found = substituted(definition);
  if (trouble === undefined && found?.from === "substitute") return { ...found, installed: true };
  return nowhere(definition, trouble);
}

/** Installs packages if this machine allows it. Returns the reason if that fails. */
function install(packages: readonly string[]): string | undefined {
  return packages.length > 0 && mayInstall() ? aptInstall(packages) : undefined;
}

function nowhere({ title, binaries }: ServiceDefinition, trouble?: string): Resolution {
  const missing = `${title} was not found: no ${binaries.join(" or ")} on PATH, and no Docker engine answers.`;
  return { from: "nowhere", reason: trouble === undefined ? missing : `${missing} ${trouble}` };
}

function readPrepared(): Prepared {
  const path = process.env.CACHEME_SERVICES_FILE;
  if (path === undefined || path === "") return {};
  // prepare.ts of this package has written it in the same run.
  return JSON.parse(readFileSync(path, "utf8")) as Prepared;
}
