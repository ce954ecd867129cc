/** What `inspect` tells of an entry. */
export interface EntryDetails<V> {
  readonly value: V;
  /** In the unit of the `weigher`; 1 without one. */
  readonly weight: number;
  /** Milliseconds until the entry expires; `Infinity` if it does not. */
  readonly remaining: number;
}
