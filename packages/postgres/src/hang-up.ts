import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Ends a connection by a reset, where the socket can: what was written and not yet taken is forgotten. A socket that is
 * only closed goes on sending it, and the server would do what the caller was told had failed.
 */
export function hangUp(stream: Duplex | undefined): void {
  if (stream === undefined || stream.destroyed) return;
  try {
    if (stream instanceof Socket && !stream.connecting) stream.resetAndDestroy();
  } catch {
    // Neither a TLS socket nor one of a path can be reset.
  }
  stream.destroy();
}
