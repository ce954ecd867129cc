/**
 * Returns the number with commas between thousands. `toLocaleString` first loads the locale's data,
 * which takes 10 ms.
 */
export function grouped(whole: number): string {
  return String(whole).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
