/**
 * Returns bytes that keep little else alive: a copy of the same class if they are less than half of
 * their buffer. Clients answer with views of what came from the network, such as 64 KiB. For authors
 * of storages.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength * 2 >= bytes.buffer.byteLength) return bytes;
  return Buffer.isBuffer(bytes) ? Buffer.from(bytes) : new Uint8Array(bytes);
}
