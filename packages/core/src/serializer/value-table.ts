/*
 * A value as a flat list of its parts, for values that msgpackr could not write itself. The first
 * part is the whole value. Parts name each other by their place in the list. So a value may contain
 * itself, and nesting needs no stack. A part that is not an array stands for itself. An array
 * starts with one of these numbers, which never change:
 */
export const code = {
  /** key, part, key, part … */
  object: 0,
  objectWithoutPrototype: 1,
  /** part, part … */
  array: 2,
  /** length, key, part, key, part …: an array with holes, or with names beside its elements */
  sparseArray: 3,
  /** part of the key, part of the value … */
  map: 4,
  /** part, part … */
  set: 5,
  /** source, flags, lastIndex */
  regExp: 6,
  /** class, then key, whether enumerable, part … */
  error: 7,
  /** bytes */
  arrayBuffer: 8,
  /** class (its place among viewClasses), bytes */
  view: 9,
  /** a string that UTF-8 cannot carry */
  text: 10,
  negativeZero: 11,
  /** more than 64 bits: hexadecimal digits with their sign */
  bigint: 12,
  /**
   * as an error, of a class that Node derives from the named class; its `toString` shows the
   * error's code
   */
  codedError: 13,
  /** message, name, then key, whether enumerable, part … */
  domException: 14,
  /** tag, part of the data, rank: all that the data refers to is of lower ranks */
  typed: 15,
} as const;

/** One value of the table that is not a primitive. */
export type Part = readonly [code: number, ...rest: unknown[]];
