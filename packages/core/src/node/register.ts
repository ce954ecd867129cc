/**
 * Augment it to have the storages' names checked wherever one is written.
 *
 * @example
 * ```ts
 * declare module "cacheme" {
 *   interface Register { storages: "local" | "redis" }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be augmented
export interface Register {}

/** The name of a storage: any text, or one of those that {@link Register} lists. */
export type StorageName = Register extends { storages: infer S extends string } ? S : string;
