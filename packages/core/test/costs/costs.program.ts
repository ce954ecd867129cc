/**
 * Measures every path in every set-up, and prints the costs. It runs outside of a test runner,
 * because a runner's promises would count.
 */
import { type Cost, Measured, type Setup, setups } from "./cost.js";
import { type Path, paths } from "./paths.js";

const costs: Record<string, Record<string, Cost>> = {};
for (const [name, path] of Object.entries<Path>(paths)) {
  costs[name] = {};
  for (const setup of path.setups ?? (Object.keys(setups) as Setup[])) {
    const measured = await Measured.of(setup);
    const { cacheme, node } = measured;
    const stored = Array.from({ length: path.stored ?? 0 }, (_, id) => node(id));
    await cacheme.getAll(stored);
    if (path.forgotten) await cacheme.clear();
    costs[name][setup] = await measured.cost(() => path.calls(measured));
  }
}
console.log(JSON.stringify(costs));
