/** Result of `inspect`: one entry. */
export interface EntryDetails<V> {
  readonly value: V;
  /** Weight, in the unit of the `weigher`; 1 if there is no weigher. */
  readonly weight: number;
  /** Milliseconds until the entry expires; `Infinity` if it never does. */
  readonly remaining: number;
}
