import { expect, it } from "vitest";

/**
 * Tests that a journal refuses options.
 *
 * @param rows the options, each with the code of its error
 */
export function itRefusesOptions<Options>(
  make: (options: Options) => unknown,
  rows: readonly (readonly [options: object, code: string])[],
): void {
  it.each(rows)("are refused: %o", (options, code) => {
    // They are invalid.
    expect(() => make(options as Options)).toThrow(expect.objectContaining({ code }));
  });
}
