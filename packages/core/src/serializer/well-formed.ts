/** Whether UTF-8 can carry the text: it has no lone surrogate. Node 20 has the method, TypeScript's ES2023 does not. */
export function isWellFormed(text: string & { isWellFormed?(): boolean }): boolean {
  return text.isWellFormed?.() ?? !/\p{Surrogate}/u.test(text);
}
