import type { Serializer } from "../serializer/serializer.js";
import { classFingerprint, fingerprintIn } from "./envelope.js";

/** The serializer and the fingerprint of one version's entries. */
export interface EntryFormat {
  readonly serializer: Serializer;
  readonly fingerprint: number;
}

/** The versions of a class that {@link EntryFormats} needs. */
interface Versions {
  readonly version: string;
  readonly serializer: Serializer;
  readonly formerVersions: readonly { readonly version: string; readonly serializer: Serializer }[];
}

/**
 * The formats of the entries that a class reads: its own, and those of the older versions that it
 * migrates from.
 */
export class EntryFormats {
  readonly #own: EntryFormat;
  /** By fingerprint; `undefined` for a class that migrates from none. */
  readonly #former: ReadonlyMap<number, EntryFormat> | undefined;

  constructor(name: string, { version, serializer, formerVersions }: Versions) {
    const formatOf = (of: Omit<Versions, "formerVersions">): EntryFormat => ({
      serializer: of.serializer,
      fingerprint: classFingerprint(name, of.version),
    });
    this.#own = formatOf({ version, serializer });
    const former = formerVersions.map((each) => formatOf(each));
    if (former.length > 0) this.#former = new Map(former.map((each) => [each.fingerprint, each]));
  }

  /** Returns the format of the version that wrote the bytes, or else the class's own. */
  of(bytes: Uint8Array): EntryFormat {
    if (this.#former === undefined) return this.#own;
    return this.#former.get(fingerprintIn(bytes) ?? 0) ?? this.#own;
  }
}
