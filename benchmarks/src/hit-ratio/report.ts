/** The results of a pair: the measured hit ratio in percent, and those of others by name. */
export interface Result {
  readonly trace: string;
  readonly capacity: number;
  readonly ours: number;
  readonly others: ReadonlyMap<string, number>;
}

/** The columns with which the results are compared. */
const COMPARED = ["caffeine", "opt"];

/**
 * Makes a table in Markdown: a line for each pair, the means, and the pairs furthest below
 * Caffeine.
 */
export function report(results: readonly Result[]): string {
  const names = [...new Set(results.flatMap(({ others }) => [...others.keys()]))];
  const compared = COMPARED.filter((name) => names.includes(name));
  const header = ["trace", "capacity", "ours", ...compared.map((name) => `against ${name}`), ...names];
  const lines = results.map((result) => [
    result.trace,
    String(result.capacity),
    ...figures(result, compared, names),
  ]);
  const means: Result = {
    trace: "mean",
    capacity: 0,
    ours: mean(results.map(({ ours }) => ours)),
    others: new Map(
      names.map((name) => [name, mean(results.map(({ others }) => others.get(name) ?? Number.NaN))]),
    ),
  };
  const table = [
    header,
    header.map(() => "---"),
    ...lines,
    ["**mean**", "", ...figures(means, compared, names)],
  ];
  return [...table.map((cells) => `| ${cells.join(" | ")} |`), "", ...worst(results)].join("\n");
}

function figures(result: Result, compared: readonly string[], names: readonly string[]): string[] {
  const differences = compared.map((name) => signed(result.ours - (result.others.get(name) ?? Number.NaN)));
  return [
    result.ours.toFixed(2),
    ...differences,
    ...names.map((name) => result.others.get(name)?.toFixed(2) ?? ""),
  ];
}

/** Returns the pairs that are furthest below Caffeine, if its results are known. */
function worst(results: readonly Result[]): string[] {
  const below = results
    .map(({ trace, capacity, ours, others }) => ({
      pair: `${trace} ${capacity}`,
      by: ours - (others.get("caffeine") ?? Number.NaN),
    }))
    .filter(({ by }) => by < 0)
    .sort((one, other) => one.by - other.by)
    .slice(0, 5);
  return below.length === 0
    ? []
    : [`Furthest below Caffeine: ${below.map(({ pair, by }) => `${pair} (${signed(by)})`).join(", ")}`];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function signed(difference: number): string {
  return Number.isNaN(difference) ? "" : `${difference < 0 ? "" : "+"}${difference.toFixed(2)}`;
}
