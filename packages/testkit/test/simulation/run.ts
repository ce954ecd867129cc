// The program behind `npm run simulate`: node run.mjs '{"seed":1,"schedules":1000}'.
import { type SimulateOptions, simulate } from "../../src/simulation/simulate.js";
import { setups } from "./setups.js";

/** The options of the program. */
interface RunOptions extends Omit<SimulateOptions, "setups"> {
  /** A pattern for the names of the set-ups to try. Default: all. */
  readonly setup?: string;
  /** Replaces parts of every set-up. */
  readonly parts?: Partial<SimulateOptions["setups"][string]>;
}

const { setup = "", parts, ...options }: RunOptions = JSON.parse(process.argv[2] ?? "{}");
const chosen = Object.entries(setups).filter(([name]) => new RegExp(setup).test(name));
const before = process.cpuUsage();
const report = await simulate({
  ...options,
  setups: Object.fromEntries(chosen.map(([name, shape]) => [name, { ...shape, ...parts }])),
});
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ ...report, processorTime: (user + system) / 1_000 }));
