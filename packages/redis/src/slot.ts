/** The number of slots in a Redis Cluster. */
export const slotCount = 16_384;

/** CRC16 of each byte, as the Redis Cluster specification has it (XMODEM). */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let rest = byte << 8;
  for (let bit = 0; bit < 8; bit++) rest = rest & 0x8000 ? (rest << 1) ^ 0x1021 : rest << 1;
  return rest & 0xffff;
});

/** Returns a key's slot, by its hash tag (`{…}`) if it has one. */
export function slotOf(key: string): number {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % slotCount;
}

function crc16(text: string): number {
  let rest = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 127) return crc16OfBytes(Buffer.from(text));
    rest = next(rest, unit);
  }
  return rest;
}

function crc16OfBytes(bytes: Buffer): number {
  return bytes.reduce(next, 0);
}

function next(rest: number, byte: number): number {
  return ((rest << 8) & 0xffff) ^ (table[(rest >> 8) ^ byte] ?? 0);
}
