/**
 * Returns bytes that keep little else alive: a copy if they are less than half of their buffer.
 * Clients answer with views of what came from the network, such as 64 KiB. For authors of storages.
 *
 * @param copy makes the copy. `Buffer.from` is fast, and its small copies share a pool of 8 KiB.
 *   Default: a `Uint8Array` with a buffer of its own
 */
export function ownBytes(
  bytes: Uint8Array,
  copy: (bytes: Uint8Array) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? copy(bytes) : bytes;
}
