/**
 * The most rows of one statement: it has at most 65,535 parameters, and takes memory on the server.
 */
const mostRows = 4096;

/**
 * Up to so many rows, a statement is prepared for the exact number. More rows are padded to one of
 * a few numbers.
 */
const exactRows = 16;

/** Bytes of a packet beside the rows: the statement's head, and room that the server wants. */
const packetHead = 4096;

/**
 * Returns the number of rows that a statement is prepared for: each number up to 16, then eight
 * numbers for each doubling. Each number is another statement, which costs a round trip the first
 * time and memory on the server.
 */
function preparedRows(rows: number): number {
  if (rows <= exactRows) return rows;
  const step = 2 ** (Math.floor(Math.log2(rows)) - 3);
  return Math.ceil(rows / step) * step;
}

/**
 * Repeats the smallest row up to the number of {@link preparedRows}: each statement accepts a
 * repeated row.
 */
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
 * @param sizeOf returns the bytes that a row takes
 */
export function statements<T>(rows: readonly T[], packet: number, sizeOf: (row: T) => number): T[][] {
  const cut: T[][] = [];
  let open: T[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = sizeOf(row);
    // Padding repeats the smallest row, so it adds an eighth at most.
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

/** Returns the most bytes that all rows of a statement may take. */
export function roomOf(packet: number): number {
  return packet - packetHead;
}
