/**
 * The names of your storages. Augment the interface, and the compiler checks each name.
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

/** The name of a storage: any string, or a name that {@link Register} lists. */
export type StorageName = Register extends { storages: infer S extends string } ? S : string;
