/**
 * The part of the package reflect-metadata that is used. Replacements of that package have it, too.
 */
interface MetadataReflection {
  getOwnMetadataKeys(target: object): readonly unknown[];
  getOwnMetadata(key: unknown, target: object): unknown;
  defineMetadata(key: unknown, value: unknown, target: object): void;
}

/**
 * Copies the metadata that decorators have stored on a function with reflect-metadata. NestJS keeps
 * routes, guards and the arguments of `@SetMetadata` there. Does nothing in a program without that
 * package.
 */
export function copyMetadata(original: object, copy: object): void {
  // The package adds its functions to the global object.
  const reflection = Reflect as Partial<MetadataReflection>;
  const keys = reflection.getOwnMetadataKeys?.(original) ?? [];
  for (const key of keys) {
    reflection.defineMetadata?.(key, reflection.getOwnMetadata?.(key, original), copy);
  }
}
