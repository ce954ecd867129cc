import { writeFileSync } from "node:fs";
import {
  everythingIsRequired,
  howToGet,
  type Prepared,
  prepareServer,
  type Resolution,
} from "./find/resolve.js";
import {
  fetchSecondVersion,
  findSecondVersion,
  mayHaveSecondVersions,
  secondTitle,
  secondVersions,
} from "./find/second-version.js";
import { measureStartUp } from "./run/start-up.js";
import { makeTemplate } from "./run/template.js";
import { catalogue, type ServiceName } from "./services/catalogue.js";

/**
 * Prepares the services once before the tests (`node dist/prepare.js`). It finds each service,
 * installs missing ones if the machine allows it, and prints a line for each. It writes the result
 * to the file in `CACHEME_SERVICES_FILE`, so that no test process installs anything or asks Docker
 * again. Then it starts all services once and prints how long each took.
 */
async function prepare(): Promise<void> {
  const prepared: { -readonly [name in ServiceName]?: Resolution } = {};
  for (const name of Object.keys(catalogue) as ServiceName[]) {
    prepared[name] = prepareServer(name);
    const found = prepared[name];
    if (found?.from === "binary") makeTemplate(catalogue[name], found.path);
    process.stdout.write(`${describe(name, prepared[name])}\n`);
  }
  leave(prepared);
  if (everythingIsRequired() && mayHaveSecondVersions()) prepareSecondVersions();
  process.stdout.write(`${await measureStartUp()}\n`);
}

/** Runs in CI only: a developer does not need to download a second server. */
function prepareSecondVersions(): void {
  for (const name of secondVersions) {
    const trouble = fetchSecondVersion(name);
    const path = findSecondVersion(name);
    process.stdout.write(
      `${secondTitle(name)}: ${path ?? `not available: ${trouble?.replace(/\n/g, " ")}`}\n`,
    );
  }
}

function leave(prepared: Prepared): void {
  const path = process.env.CACHEME_SERVICES_FILE;
  if (path !== undefined && path !== "") writeFileSync(path, `${JSON.stringify(prepared)}\n`);
}

function describe(name: ServiceName, resolution: Resolution): string {
  const { title, urlVariable, debianPackages, container, substitute } = catalogue[name];
  const given = process.env[urlVariable];
  const also =
    given === undefined || given === ""
      ? ""
      : `; ${urlVariable} is set, for the suites that do not kill the server`;
  switch (resolution.from) {
    case "binary":
      return `${title}: ${resolution.path}${just(resolution.installed, debianPackages)}${also}`;
    case "substitute": {
      const runner = `${resolution.path}${just(resolution.installed, substitute?.debianPackages)}`;
      return `${title}: ${substitute?.title}, run by ${runner}${also}`;
    }
    case "docker":
      return `${title}: Docker, image ${container?.image}${also}`;
    case "url":
      return `${title}: the server in ${urlVariable}`;
    case "nowhere":
      return `${title}: not found${also}. ${resolution.reason}\n  ${howToGet(name)}`;
  }
}

function just(installed: boolean | undefined, packages: readonly string[] = []): string {
  return installed === true ? ` (just installed from ${packages.join(", ")})` : "";
}

await prepare();
