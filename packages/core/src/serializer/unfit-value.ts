import { SerializationError } from "../errors.js";

/** A stored value that does not fit the class's schema, or that `migrate` could not handle. */
export class UnfitValue extends SerializationError {}
