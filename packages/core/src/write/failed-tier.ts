/** A tier that may or may not have the value now. */
export interface FailedTier {
  readonly storage: string;
  readonly error: Error;
  /** Settles when the tier has no removed or replaced value any more. Default: unknown. */
  readonly settled?: Promise<unknown> | undefined;
}
