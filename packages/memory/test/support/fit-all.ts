import { Fitting } from "../../src/table/column.js";

/** Gives every column of a part the length for `capacity` slots. */
export function fitAll(
  part: { fitOne(capacity: number, fitting: Fitting): boolean; slotCount?: number },
  capacity: number,
): void {
  const fitting = new Fitting();
  while (part.fitOne(capacity, fitting));
  if (part.slotCount !== undefined) part.slotCount = capacity;
}
