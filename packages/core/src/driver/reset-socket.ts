import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Ends a connection by a reset, so that the system forgets what was not sent yet. A socket that is only closed goes on
 * sending: after a partition heals, a write whose caller was told that it failed would arrive after a later removal. For
 * authors of storages.
 *
 * A TLS socket cannot be reset, so reset the TCP socket under it, if there is one at hand. It is destroyed otherwise, and what
 * arrives without its connection is worth nothing.
 *
 * @param reason the error that a socket emits which cannot be reset; a reset emits none
 */
export function resetSocket(stream: Duplex | undefined, reason?: Error): void {
  if (stream === undefined || stream.destroyed) return;
  if (canReset(stream)) stream.resetAndDestroy();
  // Some versions of Node.js let a reset wait until everything is written.
  stream.destroy(reason);
}

/** Sockets of a path, sockets that are still connecting, and sockets whose own side has ended cannot be reset. */
function canReset(stream: Duplex): stream is Socket {
  const isTcp = stream instanceof Socket && !stream.connecting && stream.remotePort !== undefined;
  return isTcp && stream.writable && !("encrypted" in stream);
}
