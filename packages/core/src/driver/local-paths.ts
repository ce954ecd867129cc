import { resolve } from "node:path";
import { optionError, refuseUnknownOptions, shown } from "../option-checks.js";

/** The ways in which a storage on this machine's disk is given its place. */
export interface LocalPathForms {
  /** The function that takes the place, such as `"sqlite()"`. */
  readonly where: string;
  /** The connection option that has the path, such as `"file"`. Messages call the place by it, too. */
  readonly option: string;
  /** The scheme of addresses, in lower case. */
  readonly scheme: string;
  /** All forms, as a sentence that begins with "Give". */
  readonly forms: string;
  /** A name that is no path, such as `":memory:"`. Default: none. */
  readonly name?: string | undefined;
  /** Returns the path in an address of the scheme, decoded. */
  fromAddress(address: string): string;
}

/**
 * Reads the place of a storage on this machine's disk: a path, an address, or an object with the path. For authors of
 * storages.
 *
 * @example
 * ```ts
 * const paths = new LocalPaths({ where: "tar()", option: "file", scheme: "tar", forms: "Give a path.", fromAddress });
 * paths.absolute("a.tar"); // "/home/app/a.tar"
 * ```
 */
export class LocalPaths {
  readonly #forms: LocalPathForms;

  constructor(forms: LocalPathForms) {
    this.#forms = forms;
  }

  /**
   * Returns the absolute path of a target. A string is a path unless it begins as a URL does.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION`, which shows no address, because it may hold a password
   */
  of(target: unknown): string {
    const { where, option, forms } = this.#forms;
    if (typeof target === "string") return this.#ofText(target);
    if (typeof target !== "object" || target === null) throw this.refused(shown(target));
    refuseUnknownOptions(target, [option], where);
    const path: unknown = Reflect.get(target, option);
    if (typeof path === "string") return this.absolute(path);
    throw optionError(`The connection option ${option} of ${where} is ${shown(path)}. ${forms}`);
  }

  /** Makes a path absolute, in the working directory. */
  absolute(path: string): string {
    if (path === this.#forms.name) return path;
    if (path !== "" && !path.includes("\0")) return resolve(path);
    throw this.refused(`${shown(path)} as a ${this.#forms.option}`);
  }

  /** Returns the error of an address with a query or a fragment. */
  withQuery(): Error {
    return this.refused('an address with "?" or "#" in it. Write "%3F" and "%23", or give a path');
  }

  /** Returns the error of an invalid place, which lists the valid forms. */
  refused(what: string, cause?: unknown): Error {
    const { where, forms } = this.#forms;
    return optionError(`${where} was given ${what}. ${forms}`, cause);
  }

  #ofText(text: string): string {
    const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(text) ?? [];
    if (scheme === undefined) return this.absolute(text);
    if (scheme.toLowerCase() === this.#forms.scheme) return this.absolute(this.#forms.fromAddress(text));
    throw this.refused("an address of another kind");
  }
}
