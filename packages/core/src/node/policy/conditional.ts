import { type Duration, milliseconds } from "../../duration.js";
import { optionOf, type PolicyOwner } from "./refuse.js";

/** The option of classes whose loads ask the source whether a value has changed. */
export interface ConditionalPolicy {
  /**
   * The time for which an expired value is still held, so that a load gets it as `context.previous`,
   * and renews it by `context.notModified()` if the source has no newer one. Readers never get it for
   * that reason. Default: as long as a stale value may be returned.
   */
  readonly keepExpired?: Duration | undefined;
}

/** Returns the checked option in milliseconds. */
export function resolveKeepExpired({ keepExpired }: ConditionalPolicy, owner: PolicyOwner): number {
  return keepExpired === undefined ? 0 : milliseconds(keepExpired, ...optionOf("keepExpired", owner));
}
