import { readFileSync } from "node:fs";

/** The known results for a trace and a capacity: hit ratios in percent, by policy or library. */
export interface Reference {
  readonly trace: string;
  readonly capacity: number;
  readonly ratios: ReadonlyMap<string, number>;
}

/**
 * Reads a `hit-ratios.csv`: a header, then a line for each pair. The first two columns are the
 * trace and the capacity.
 */
export function readReferences(file: string): Reference[] {
  const [header, ...lines] = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  const names = header?.slice(2) ?? [];
  return lines.map(([trace = "", capacity = "", ...figures]) => ({
    trace,
    capacity: Number(capacity),
    ratios: new Map(names.map((name, at) => [name, Number(figures[at])])),
  }));
}
