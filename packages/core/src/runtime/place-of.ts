/** The most lines of a stack that a message shows. */
const mostLines = 3;

/**
 * Returns the lines of an error's stack that belong to the program, with a line break before each.
 * The lines at the top belong to the module that made the error.
 */
export function placeOf(error: Error): string {
  const lines = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const own = fileOf(lines[0]);
  const outside = lines.filter(
    (line) => fileOf(line) !== own && !/[\\/]node_modules[\\/]cacheme[\\/]|\(node:/.test(line),
  );
  const shown = (outside.length > 0 ? outside : lines).slice(0, mostLines);
  return shown.length === 0 ? " unknown" : `\n${shown.join("\n")}`;
}

/** Returns the file in a line of a stack, without the place in it. */
function fileOf(line: string | undefined): string | undefined {
  return line?.match(/\(?([^\s(]+):\d+:\d+\)?$/)?.[1];
}
