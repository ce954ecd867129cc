import { NumberedNode } from "./space.js";

/** A source of values by number, which a test can delay, with the numbers of its loads. */
export function gatedSource() {
  const source = new Map<number, unknown>();
  const loads: number[] = [];
  const gate: {
    load?: () => Promise<unknown> | undefined;
    save?: (id: number, value: unknown) => Promise<unknown> | undefined;
  } = {};
  /** The node of a value. The class of a test says how it is saved. */
  abstract class SourceNode extends NumberedNode {
    override async load() {
      loads.push(this.id);
      const value = source.get(this.id);
      await gate.load?.();
      return value;
    }
  }
  return { source, loads, gate, SourceNode };
}
