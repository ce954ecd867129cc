import type { RemoteTier } from "../runtime/node-kind.js";
import { Storing } from "./storing.js";

/**
 * The fills of a saved value. The source has the value already. So a tier that may not have it must
 * not keep an older one; the caller removes the key.
 */
export class SaveStoring extends Storing {
  /** Whether a tier may have an older value. */
  mustRemove = false;

  protected override failed(_tier: RemoteTier, _error: Error): void {
    this.mustRemove = true;
  }

  protected override lost(_tiers: readonly RemoteTier[], _isOvertaken: boolean): void {
    this.mustRemove = true;
  }
}
