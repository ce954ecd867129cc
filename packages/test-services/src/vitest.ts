import { afterAll, beforeAll, describe, it } from "vitest";
import {
  everythingIsRequired,
  howToGet,
  type Resolution,
  resolveServer,
  resolveService,
} from "./find/resolve.js";
import { findSecondVersion, mayHaveSecondVersions, withoutSecondVersion } from "./find/second-version.js";
import { type Server, type Service, secondVersion, server, service } from "./run/service.js";
import type { ServiceName } from "./services/catalogue.js";
import { noteSkip } from "./skips.js";

/**
 * Describes a suite with one running server for all its tests.
 *
 * @param name the service that the suite uses
 * @param suite the suite's title
 * @param body gets a function that returns the server, for hooks and tests only
 */
type DescribeWith<S extends Service> = (
  name: ServiceName,
  suite: string,
  body: (server: () => S) => void,
) => void;

/**
 * Describes a suite that uses a service: the server in the service's `*_URL` variable, or a new
 * server. Without the service, the suite is skipped and noted by name; in CI it fails.
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
export const describeWithService: DescribeWith<Service> = (name, suite, body) => {
  suiteWith(name, suite, resolveService(name), service, body);
};

/**
 * Describes a suite with a server of its own, which the tests may kill, pause and restart. The
 * service's `*_URL` variable is ignored.
 */
export const describeWithServer: DescribeWith<Server> = (name, suite, body) => {
  suiteWith(name, suite, resolveServer(name), server, body);
};

/**
 * Describes a further suite with the server in the service's `*_URL` variable: another version or
 * product than the usual server. Without the variable, there is no such suite.
 */
export const describeWithGivenService: DescribeWith<Service> = (name, suite, body) => {
  const resolution = resolveService(name);
  if (resolution.from === "url") suiteWith(name, suite, resolution, service, body);
};

/**
 * Describes a suite with a server of its own in another version than the usual one, which CI
 * fetches from a registry of packages. Without that version, the suite is skipped and noted by
 * name.
 */
export const describeWithSecondVersion: DescribeWith<Server> = (name, suite, body) => {
  const path = findSecondVersion(name);
  if (path !== undefined) {
    suiteWith(name, suite, { from: "binary", path }, () => secondVersion(name, path), body);
    return;
  }
  const reason = withoutSecondVersion(name);
  if (everythingIsRequired() && mayHaveSecondVersions()) failed(suite, reason);
  else skipped(suite, reason, body, { absent: true });
};

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
  throw new Error(`The service of "${suite}" does not run yet: get it in hooks and tests only.`);
}
