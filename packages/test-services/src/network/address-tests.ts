import { expect, it } from "vitest";

/** The addresses that a storage takes and refuses. */
export interface AddressCases {
  /** Valid addresses, each with the storage's label. */
  readonly labels: readonly (readonly [url: string, label: string])[];
  readonly refused: readonly string[];
  /** Words of the error for a refused address. */
  readonly words: string | RegExp;
}

/**
 * Tests the addresses of a storage over a server.
 *
 * @param make makes the storage
 */
export function testAddresses(
  make: (url: string) => { readonly label: string },
  { labels, refused, words }: AddressCases,
): void {
  it.each(labels)("%s gives the label %s", (url, label) => {
    expect(make(url).label).toBe(label);
  });

  it.each(refused)("is refused if it is %j, and not shown", (url) => {
    const made = () => make(url);
    expect(made).toThrow(expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }));
    expect(made).toThrow(words);
    expect(made).not.toThrow("secret");
  });
}
