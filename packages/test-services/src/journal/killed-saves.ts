/** One run of the program that is killed while it saves. */
export interface KilledRun {
  /** The place of the journal. */
  readonly place: string;
  /** The path of the file that is the source. */
  readonly source: string;
  /** The first number to save. */
  readonly first: number;
  /** The number of keys. A number is saved under its remainder. */
  readonly keys: number;
}

/** The functions of Cacheme that the program uses. Their types are those of the module. */
export interface JournalKeeper {
  // biome-ignore lint/suspicious/noExplicitAny: the module's generic functions fit no narrower type
  defineNode(definition: any): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  registerJournal(name: string, journal: any, options: object): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  save(node: any, value: any): Promise<void>;
  flush(options: { readonly timeout: "20s" }): Promise<unknown>;
}
