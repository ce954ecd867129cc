import { localOnly, remoteOnly, twoTiers } from "./space.js";

/** The tiers that a class may have, with their name in a test's title. */
export const tierSetups = [
  ["a local tier", localOnly],
  ["a remote tier", remoteOnly],
  ["two tiers", twoTiers],
] as const;
