/**
 * Aligns the columns of a table: the first to the left, the others, which are numbers, to the
 * right.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("   ");
  const rule = widths.map((width) => "─".repeat(width)).join("───");
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].map((each) => `  ${each.trimEnd()}`).join("\n");
}

export function count(value: number): string {
  return value.toLocaleString("en");
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(part === 0 || part === whole ? 0 : 1)} %`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
