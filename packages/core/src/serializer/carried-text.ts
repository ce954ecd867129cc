/**
 * Returns whether msgpackr returns the string unchanged. UTF-8 has no lone surrogates. The
 * TextDecoder by which msgpackr 2.1.3 reads strings of more than 64 bytes removes U+FEFF at their
 * beginning. Node 20 has `isWellFormed`, TypeScript's ES2023 does not.
 */
export function isCarried(text: string & { isWellFormed?(): boolean }): boolean {
  if (text.charCodeAt(0) === byteOrderMark) return false;
  return text.isWellFormed?.() ?? !/\p{Surrogate}/u.test(text);
}

const byteOrderMark = 0xfeff;
