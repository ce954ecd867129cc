/** The bars of a library: one in each group. */
interface Bars {
  readonly name: string;
  readonly values: readonly number[];
}

const COLOURS = ["#8a8f98", "#d1495b", "#edae49", "#00798c", "#30638e", "#5b8e7d", "#c0c4cb"];
const LABELS = 190;
const WIDTH = 760;
const BAR = 13;
const GAP = 16;
const TOP = 76;

/**
 * Draws a horizontal bar chart as SVG: a group of bars for each name in `groups`, one bar for each
 * library.
 */
export function barChart(title: string, groups: readonly string[], bars: readonly Bars[]): string {
  const longest = Math.max(...bars.flatMap(({ values }) => values));
  const groupHeight = bars.length * BAR + GAP;
  const height = TOP + groups.length * groupHeight;
  const drawn = groups.flatMap((group, g) => {
    const y = TOP + g * groupHeight;
    const label = `<text x="${LABELS - 8}" y="${y + (bars.length * BAR) / 2 + 4}" text-anchor="end">${escaped(group)}</text>`;
    return [label, ...bars.map((bar, b) => drawnBar(bar.values[g] ?? 0, longest, y + b * BAR, b))];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#555">
<title>${escaped(title)}</title>
<text x="8" y="20" font-size="15" font-weight="600">${escaped(title)}</text>
${legend(bars)}
${drawn.join("\n")}
</svg>
`;
}

function drawnBar(value: number, longest: number, y: number, colour: number): string {
  const width = Math.max(1, (value / longest) * (WIDTH - LABELS - 60));
  return `<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 2}" fill="${colourOf(colour)}"/><text x="${(LABELS + width + 4).toFixed(1)}" y="${y + BAR - 3}" font-size="10">${value.toFixed(2)}</text>`;
}

function legend(bars: readonly Bars[]): string {
  return bars
    .map(({ name }, b) => {
      const x = 8 + (b % 4) * 185;
      const y = 32 + Math.floor(b / 4) * 18;
      return `<rect x="${x}" y="${y}" width="11" height="11" fill="${colourOf(b)}"/><text x="${x + 16}" y="${y + 10}">${escaped(name)}</text>`;
    })
    .join("\n");
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? "#000";
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
