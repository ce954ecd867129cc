/**
 * Returns a 32-bit hash of a string, the same in every process and release. It is FNV-1a over the
 * UTF-16 code units, then the finalizer of MurmurHash3. So strings that differ in one character
 * have unrelated hashes. Not for keys that an attacker must not collide.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

/**
 * Applies the finalizer of MurmurHash3: each bit of the result depends on every bit of the number.
 */
export function mixed(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
