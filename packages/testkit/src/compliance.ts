import type { Case, Section } from "./case.js";
import type { ComplianceOptions } from "./compliance-options.js";
import { batches } from "./sections/batches.js";
import { clients } from "./sections/clients.js";
import { networkFailures, serverFailures } from "./sections/failures.js";
import { generations, grantTimes } from "./sections/generations.js";
import { keys } from "./sections/keys.js";
import { leaseExtension, noLeaseExtension } from "./sections/lease-extension.js";
import { leaseTimes } from "./sections/lease-times.js";
import { leases } from "./sections/leases.js";
import { information, lifecycle } from "./sections/lifecycle.js";
import { namesOfGenerations, namesOfLeases } from "./sections/names.js";
import { removal } from "./sections/removal.js";
import {
  extensionRoundTrips,
  generationRoundTrips,
  leaseRoundTrips,
  roundTrips,
  touchRoundTrips,
} from "./sections/round-trips.js";
import { leasesInScans, scan } from "./sections/scan.js";
import { seenBytes } from "./sections/seen-bytes.js";
import { generationTime, leaseTime, time } from "./sections/time.js";
import { leasedTouches, noTouch, touches } from "./sections/touches.js";
import { ttl } from "./sections/ttl.js";
import { values } from "./sections/values.js";

/**
 * Returns the sections for a storage, in order. It leaves out the capabilities that the storage
 * does not support, so that no test is ever skipped.
 */
export function sectionsFor({ capabilities = {}, server }: ComplianceOptions): Section[] {
  const { leases: hasLeases = true, extend: hasExtend = true } = capabilities;
  const { generations: hasGenerations = true } = capabilities;
  const { touch: hasTouch = true } = capabilities;
  const { scan: hasScan = true, info: hasInfo = true, proxy: hasProxy = true } = capabilities;
  const hasServer = server !== undefined;
  const chosen: readonly (readonly [wanted: boolean, section: Section])[] = [
    [true, lifecycle],
    [hasInfo, information],
    [true, batches],
    [true, values],
    [true, keys],
    [true, ttl],
    [true, time],
    [hasLeases, leaseTime],
    [hasGenerations, generationTime],
    [true, removal],
    [hasTouch, touches],
    [hasTouch && hasLeases, leasedTouches],
    [!hasTouch, noTouch],
    [hasScan, scan],
    [hasScan && hasLeases, leasesInScans],
    [hasLeases, leases],
    [hasLeases, seenBytes],
    [hasLeases, namesOfLeases],
    [hasLeases, leaseTimes],
    [hasLeases && hasExtend, leaseExtension],
    [hasLeases && !hasExtend, noLeaseExtension],
    [hasGenerations, generations],
    [hasGenerations, namesOfGenerations],
    [hasGenerations && hasLeases, grantTimes],
    [hasServer && hasProxy, roundTrips],
    [hasServer && hasProxy && hasTouch, touchRoundTrips],
    [hasServer && hasProxy && hasLeases, leaseRoundTrips],
    [hasServer && hasProxy && hasLeases && hasExtend, extensionRoundTrips],
    [hasServer && hasProxy && hasGenerations, generationRoundTrips],
    [true, clients],
    [hasServer, serverFailures],
    [hasServer && hasProxy, networkFailures],
  ];
  return merged(chosen.filter(([wanted]) => wanted).map(([, section]) => section));
}

/** All columns of a report, in order. */
export const columns: readonly string[] = merged([
  lifecycle,
  batches,
  values,
  keys,
  ttl,
  time,
  removal,
  touches,
  scan,
  leases,
  generations,
  roundTrips,
  clients,
  serverFailures,
]).map(({ title }) => title);

/** Merges the sections with the same title. */
function merged(sections: readonly Section[]): Section[] {
  const byTitle = new Map<string, Case[]>();
  for (const { title, cases } of sections) byTitle.set(title, [...(byTitle.get(title) ?? []), ...cases]);
  return Array.from(byTitle, ([title, cases]) => ({ title, cases }));
}
