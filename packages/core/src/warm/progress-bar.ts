import { importPeer } from "../import-installed.js";
import type { WarmProgress } from "./warm-options.js";

/** A progress bar on a terminal. */
export interface ProgressBar {
  show(progress: WarmProgress): void;
  stop(): void;
}

/** The steps of a bar: a total in the millions would be drawn no finer. */
const steps = 1_000;

/**
 * Makes a bar on standard error; `undefined` if that is not a terminal. Loads the package only then.
 *
 * @throws ConfigurationError `CACHEME_MISSING_PACKAGE`
 */
export async function progressBarOf(
  total: number | undefined,
  output: NodeJS.WriteStream = process.stderr,
): Promise<ProgressBar | undefined> {
  if (!output.isTTY) return undefined;
  const { progress } = await prompts();
  const bar = progress({ max: steps, output });
  let drawn = 0;
  let last = "";
  bar.start("Warming");
  return {
    show(now) {
      const done = now.warmed + now.fresh + now.failed;
      const reached = total === undefined || total === 0 ? 0 : Math.floor((done / total) * steps);
      last = `${done}${total === undefined ? "" : ` of ${total}`}: ${now.warmed} warmed, ${now.fresh} fresh, ${now.failed} failed`;
      bar.advance(Math.max(0, Math.min(reached, steps) - drawn), last);
      drawn = Math.max(drawn, Math.min(reached, steps));
    },
    stop: () => bar.stop(last === "" ? "Nothing to warm" : last),
  };
}

async function prompts(): Promise<typeof import("@clack/prompts")> {
  const peer = await importPeer("@clack/prompts", "The progress bar of warm()", " Or leave progressBar out.");
  return peer as typeof import("@clack/prompts"); // The peer has this form.
}
