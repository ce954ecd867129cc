import type { Result } from "./report.js";

/** The lines of each panel: the name in the results, and the colour. */
const LINES: readonly { name: string; colour: string; of: (result: Result) => number | undefined }[] = [
  { name: "clairvoyant bound", colour: "#c0c4cb", of: ({ others }) => others.get("opt") },
  { name: "lru-cache", colour: "#8a8f98", of: ({ others }) => others.get("lru-cache") },
  { name: "Caffeine", colour: "#d1495b", of: ({ others }) => others.get("caffeine") },
  { name: "@cacheme/memory", colour: "#00798c", of: ({ ours }) => ours },
];

const COLUMNS = 3;
const PANEL = { width: 250, height: 170, left: 34, right: 14, top: 26, bottom: 24 };
const TOP = 60;

/**
 * Draws the hit ratio by capacity as SVG: a panel for each trace, with capacities on a logarithmic
 * axis and a line for each cache.
 */
export function capacityCharts(results: readonly Result[]): string {
  const traces = [...new Set(results.map(({ trace }) => trace))];
  const height = TOP + Math.ceil(traces.length / COLUMNS) * PANEL.height;
  const panels = traces.map((trace, at) => {
    const x = (at % COLUMNS) * PANEL.width;
    const y = TOP + Math.floor(at / COLUMNS) * PANEL.height;
    const own = results.filter((result) => result.trace === trace);
    return `<g transform="translate(${x} ${y})">\n${panel(trace, own)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${COLUMNS * PANEL.width} ${height}" font-family="system-ui, sans-serif" font-size="10" fill="#777">
<title>Hit ratio in percent by capacity</title>
<text x="8" y="20" font-size="15" font-weight="600">Hit ratio in percent, by capacity in entries</text>
${legend()}
${panels.join("\n")}
</svg>
`;
}

function panel(trace: string, results: readonly Result[]): string {
  const capacities = results.map(({ capacity }) => capacity).sort((one, other) => one - other);
  const figures = results.flatMap((result) => LINES.map(({ of }) => of(result) ?? 0));
  const [least = 1, most = 1] = [capacities[0], capacities.at(-1)];
  const lowest = Math.floor(Math.min(...figures) / 10) * 10;
  const highest = Math.ceil(Math.max(...figures) / 10) * 10;
  const width = PANEL.width - PANEL.left - PANEL.right;
  const depth = PANEL.height - PANEL.top - PANEL.bottom;
  const xOf = (capacity: number): number =>
    PANEL.left + (width * Math.log(capacity / least)) / Math.max(Math.log(most / least), 1e-9);
  const yOf = (ratio: number): number => PANEL.top + (depth * (highest - ratio)) / (highest - lowest);
  const bottom = PANEL.top + depth;
  const frame = [
    `<text x="${PANEL.left}" y="18" font-size="12" font-weight="600">${trace}</text>`,
    `<path d="M${PANEL.left} ${PANEL.top}V${bottom}H${PANEL.left + width}" fill="none" stroke="#bbb"/>`,
    `<text x="${PANEL.left - 4}" y="${PANEL.top + 8}" text-anchor="end">${highest}</text>`,
    `<text x="${PANEL.left - 4}" y="${bottom}" text-anchor="end">${lowest}</text>`,
    `<text x="${PANEL.left}" y="${bottom + 14}">${least.toLocaleString("en")}</text>`,
    `<text x="${PANEL.left + width}" y="${bottom + 14}" text-anchor="end">${most.toLocaleString("en")}</text>`,
  ];
  const sorted = [...results].sort((one, other) => one.capacity - other.capacity);
  const lines = LINES.map(({ colour, of }) => {
    const points = sorted.map(
      (result) => `${xOf(result.capacity).toFixed(1)},${yOf(of(result) ?? 0).toFixed(1)}`,
    );
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.6"/>`;
  });
  return [...frame, ...lines].join("\n");
}

function legend(): string {
  return [...LINES]
    .reverse()
    .map(({ name, colour }, at) => {
      const x = 8 + at * 170;
      return `<rect x="${x}" y="34" width="14" height="4" fill="${colour}"/><text x="${x + 20}" y="40" font-size="12">${name}</text>`;
    })
    .join("\n");
}
