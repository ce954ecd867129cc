import { Fitting } from "../../src/table/column.js";

/** Gives every column of a part room for so many slots. */
export function makeRoom(
  part: { fitOne(capacity: number, fitting: Fitting): boolean; capacity?: number },
  capacity: number,
): void {
  const fitting = new Fitting();
  while (part.fitOne(capacity, fitting));
  if (part.capacity !== undefined) part.capacity = capacity;
}
