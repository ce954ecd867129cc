/**
 * Rows of one statement, at most: a prepared statement has 65,535 parameters at most, and takes memory on the server.
 */
const mostRows = 4096;

/** As many rows are prepared for as there are. More are filled up to the next of some few numbers. */
const exactRows = 16;

/** Bytes of a packet that are not the rows': the statement's head, and the server's wish for room. */
const packetHead = 4096;

/**
 * Numbers of rows that statements are prepared for. Each number is a statement of its own, which costs a round trip the first
 * time and memory on the server, so there are only a few: all up to 16, then eight for each doubling.
 */
function preparedRows(rows: number): number {
  if (rows <= exactRows) return rows;
  const step = 2 ** (Math.floor(Math.log2(rows)) - 3);
  return Math.ceil(rows / step) * step;
}

/** The rows, and the smallest one as often as is missing to {@link preparedRows}: every statement takes a row twice. */
export function padded<T>(rows: readonly T[], sizeOf: (row: T) => number): readonly T[] {
  const missing = preparedRows(rows.length) - rows.length;
  if (missing === 0) return rows;
  const smallest = rows.reduce((least, row) => (sizeOf(row) < sizeOf(least) ? row : least));
  return [...rows, ...Array.from({ length: missing }, () => smallest)];
}

/**
 * Cuts a batch into statements that fit into the server's packets.
 *
 * @param packet the server's `max_allowed_packet`
 * @param sizeOf bytes that a row takes
 */
export function statements<T>(rows: readonly T[], packet: number, sizeOf: (row: T) => number): T[][] {
  const cut: T[][] = [];
  let open: T[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = sizeOf(row);
    // Padding adds an eighth at most, since it is the smallest row that is repeated.
    const room = open.length < exactRows ? roomOf(packet) : (roomOf(packet) * 8) / 9;
    if (open.length === 0 || open.length === mostRows || bytes + size > room) {
      open = [];
      cut.push(open);
      bytes = 0;
    }
    open.push(row);
    bytes += size;
  }
  return cut;
}

/** Bytes of all rows of a statement, at most. */
export function roomOf(packet: number): number {
  return packet - packetHead;
}
