/** A table of a database, which counts its queries. */
export class Table<T> {
  readonly #rows = new Map<string, T>();
  reads = 0;
  writes = 0;

  async find(id: string): Promise<T | undefined> {
    this.reads += 1;
    return this.#rows.get(id);
  }

  async upsert(...rows: readonly (readonly [id: string, row: T])[]): Promise<void> {
    this.writes += 1;
    for (const [id, row] of rows) this.#rows.set(id, row);
  }
}
