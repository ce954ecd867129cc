import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Ends a connection by a reset, so that the system forgets unsent bytes. A socket that is only
 * closed keeps sending. After a partition heals, a write whose caller got an error would arrive
 * after a later removal. For authors of storages.
 *
 * A TLS socket cannot be reset, so reset the TCP socket under it, if there is one. Otherwise the
 * socket is destroyed, and bytes that arrive without its connection are worthless.
 *
 * @param reason the error that a socket emits if it cannot be reset; a reset emits none
 */
export function resetSocket(stream: Duplex | undefined, reason?: Error): void {
  if (stream === undefined || stream.destroyed) return;
  if (canReset(stream)) stream.resetAndDestroy();
  // Some versions of Node.js delay a reset until everything is written.
  stream.destroy(reason);
}

/**
 * Returns whether the socket can be reset. Sockets of a path, sockets that are still connecting,
 * and sockets whose own side has ended cannot.
 */
function canReset(stream: Duplex): stream is Socket {
  const isTcp = stream instanceof Socket && !stream.connecting && stream.remotePort !== undefined;
  return isTcp && stream.writable && !("encrypted" in stream);
}
