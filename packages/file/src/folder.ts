import { hash, randomBytes } from "node:crypto";
import { realpath } from "node:fs/promises";
import { codeOf } from "cacheme/driver";
import { lookAt, makeFolder, makeFolders, namesIn, remove, replace, writeFile } from "./disk.js";
import { claim, isMarked, linkInPlaceOf } from "./ownership.js";

/** 128 bits of a key's SHA-256, in hexadecimal: the name of its file. */
const hashed: RegExp = /^[0-9a-f]{32}$/;

/** A name that no other process has. A process' number is not enough if containers share a folder. */
const writer = `${process.pid}-${randomBytes(8).toString("hex")}`;

/** The names of {@link Folder.temporaryPath}, of any process. */
export const temporaryName: RegExp = /^\d{1,10}-[0-9a-f]{16}-\d{1,16}$/;

let written = 0;

/**
 * The storage's folder holds:
 *
 * ```
 * .cacheme-file-storage   makes the folder the storage's own, see ownership.ts
 * 3fa/3fa…                one entry, called by the hash of its key, in one of 4,096 folders
 * leases/3fa…/            the right to fill that entry, see tickets.ts
 * tmp/                    what is being written
 * ```
 *
 * One level of folders, since each further one makes every read a tenth slower.
 *
 * The given path may lead through symbolic links, also as a whole: a user has made them on purpose, and the marker tells
 * whether what they lead to is the storage's. Below the folder nothing goes through a link. Node has no calls relative to
 * an open folder, so a process with the right to write the folder (0700: this user) can still swap one between a look and a step.
 */
export class Folder {
  readonly #given: string;
  #path: string;

  constructor(path: string) {
    this.#given = path;
    this.#path = path;
  }

  /** Without symbolic links, once the folder was opened. */
  get path(): string {
    return this.#path;
  }

  /** The folder of the tickets. */
  get leases(): string {
    return `${this.#path}/leases`;
  }

  /** The folder of files that are being written: on the same disk, so that a rename is one step. */
  get temporary(): string {
    return `${this.#path}/tmp`;
  }

  /** @throws StorageError `CACHEME_FOREIGN_DATA` if the folder, or a part of it, is not the storage's */
  async open(): Promise<void> {
    await this.#make();
    // Whether this user may write is better known now than at the first write.
    const trial = this.temporaryPath();
    await writeFile(trial, [], "wx");
    await remove(trial);
  }

  /** Whether the folder is still the storage's: to be asked before anything is looked for and removed. */
  async isOwn(): Promise<boolean> {
    if (!(await isMarked(this.#path))) return false;
    const parts = await Promise.all([this.leases, this.temporary].map(lookAt));
    return parts.every((part) => part === undefined || part.isDirectory());
  }

  hash(key: string): string {
    return hash("sha256", key, "hex").slice(0, 32);
  }

  entry(hash: string): string {
    return `${this.entryFolder(hash)}/${hash}`;
  }

  entryFolder(hash: string): string {
    return `${this.#path}/${hash.slice(0, 3)}`;
  }

  lease(hash: string): string {
    return `${this.leases}/${hash}`;
  }

  temporaryPath(): string {
    return `${this.temporary}/${writer}-${written++}`;
  }

  /** The folders that entries are in, as far as they are there. */
  async entryFolders(): Promise<readonly string[]> {
    const names = await namesIn(this.#path, "isDirectory");
    return names.filter((name) => /^[0-9a-f]{3}$/.test(name)).map((name) => `${this.#path}/${name}`);
  }

  /** The hashes of the keys that have tickets, or had some a moment ago. */
  async leased(): Promise<readonly string[]> {
    return (await namesIn(this.leases, "isDirectory")).filter((name) => hashed.test(name));
  }

  /** Puts a file that was written into an entry's place in one step. */
  async publish(from: string, hash: string): Promise<void> {
    try {
      await this.refuseLink(hash);
      await replace(from, this.entry(hash));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      // The first entry of its folder; or what is to be moved is gone, which the second attempt tells.
      await this.withFolders(() => ownFolder(this.entryFolder(hash)));
      await replace(from, this.entry(hash));
    }
  }

  /** @throws StorageError `CACHEME_FOREIGN_DATA` if the folder of this entry is a symbolic link */
  async refuseLink(hash: string): Promise<void> {
    const folder = this.entryFolder(hash);
    if ((await lookAt(folder))?.isSymbolicLink() === true) throw linkInPlaceOf(folder);
  }

  /** Does something that needs the folders for what is being written, and makes them again where somebody removed them. */
  async withFolders<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      await this.#make();
      return act();
    }
  }

  async #make(): Promise<void> {
    await makeFolders(this.#given);
    this.#path = await realpath(this.#given);
    await claim(this.#path);
    await ownFolder(this.leases);
    await ownFolder(this.temporary);
  }
}

/** The files in a folder of entries that have the name of an entry of it. */
export async function pathsIn(folder: string): Promise<readonly string[]> {
  const names = await namesIn(folder, "isFile");
  const own = names.filter((name) => hashed.test(name) && name.startsWith(folder.slice(-3)));
  return own.map((name) => `${folder}/${name}`);
}

/** Makes a folder of the storage where it is not there yet. */
async function ownFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    const found = await lookAt(path);
    if (found?.isSymbolicLink() === true) throw linkInPlaceOf(path);
    if (found?.isDirectory() !== true) throw error;
  }
}
