import { afterAll, beforeAll, describe, it } from "vitest";
import type { ServiceName } from "./catalogue.js";
import { everythingIsRequired, howToGet, type Resolution, resolveServer, resolveService } from "./resolve.js";
import { findSecondVersion, mayHaveSecondVersions, withoutSecondVersion } from "./second-version.js";
import { type Server, type Service, secondVersion, server, service } from "./service.js";
import { noteSkip } from "./skips.js";

/**
 * A suite of tests that use a service: `describe` with a running server, one for the whole suite. Where the service is
 * not to be had the suite is skipped and noted by name; in CI it fails.
 *
 * @param body gets a function that answers the service; call it in hooks and tests, not while the suite is described
 *
 * @example
 * ```ts
 * describeWithService("redis", "redis()", (redis) => {
 *   it("connects", async () => {
 *     const client = new Redis(redis().url);
 *   });
 * });
 * ```
 */
export function describeWithService(
  name: ServiceName,
  suite: string,
  body: (service: () => Service) => void,
): void {
  suiteWith(name, suite, resolveService(name), service, body);
}

/**
 * The same with a server of our own, which the tests may kill, pause and restart. The service's `*_URL` variable is not
 * used.
 */
export function describeWithServer(
  name: ServiceName,
  suite: string,
  body: (server: () => Server) => void,
): void {
  suiteWith(name, suite, resolveServer(name), server, body);
}

/**
 * A further suite on the server that the service's `*_URL` variable names, be it another version or another product than
 * the one that is started here. Where the variable is not set there is no such suite.
 */
export function describeWithGivenService(
  name: ServiceName,
  suite: string,
  body: (service: () => Service) => void,
): void {
  const resolution = resolveService(name);
  if (resolution.from === "url") suiteWith(name, suite, resolution, service, body);
}

/**
 * A suite on another version of the server than the usual one, a server of our own, which CI fetches from a registry of
 * packages. Elsewhere, where it has not been fetched, the suite is skipped and noted by name.
 */
export function describeWithSecondVersion(
  name: ServiceName,
  suite: string,
  body: (server: () => Server) => void,
): void {
  const path = findSecondVersion(name);
  if (path !== undefined) {
    suiteWith(name, suite, { from: "binary", path }, () => secondVersion(name, path), body);
    return;
  }
  const reason = withoutSecondVersion(name);
  if (everythingIsRequired() && mayHaveSecondVersions()) failed(suite, reason);
  else skipped(suite, reason, body, { absent: true });
}

function suiteWith<S extends Service>(
  name: ServiceName,
  suite: string,
  resolution: Resolution,
  start: (name: ServiceName) => Promise<S>,
  body: (service: () => S) => void,
): void {
  if (resolution.from === "nowhere") {
    const reason = `${resolution.reason} ${howToGet(name)}`;
    if (everythingIsRequired()) failed(suite, reason);
    else skipped(suite, reason, body);
    return;
  }
  describe(suite, () => {
    let running: S | undefined;
    beforeAll(async () => {
      running = await start(name);
    });
    afterAll(() => running?.stop());
    body(() => running ?? notYet(suite));
  });
}

function skipped<S>(
  suite: string,
  reason: string,
  body: (service: () => S) => void,
  { absent = false }: { readonly absent?: boolean } = {},
): void {
  noteSkip({ suite, reason, absent });
  describe(suite, { skip: true }, () => body(() => notYet(suite)));
}

function failed(suite: string, reason: string): void {
  describe(suite, () => {
    it("has its service, as CI requires", () => {
      throw new Error(reason);
    });
  });
}

function notYet(suite: string): never {
  throw new Error(`The service of "${suite}" is asked for outside its hooks and tests.`);
}
