/**
 * Returns bytes that keep little else alive: a copy if they are less than half of their buffer.
 * Clients answer with views of what came from the network, such as 64 KiB. For authors of storages.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
}
