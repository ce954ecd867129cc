import { hash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { codeOf, makeFolders, remove, rename, writeFile } from "./disk.js";

/** 128 bits of a key's SHA-256, in hexadecimal: the name of its file. */
export const hashed: RegExp = /^[0-9a-f]{32}$/;

/** What no other process calls a file: a process' number is not enough where containers share a folder. */
const writer = `${process.pid}-${randomBytes(8).toString("hex")}`;

let written = 0;

/**
 * Where everything stands in the storage's folder:
 *
 * ```
 * 3fa/3fa…       one entry, called by the hash of its key, in one of 4,096 folders
 * leases/3fa…/   the right to fill that entry, see tickets.ts
 * tmp/           what is being written
 * ```
 *
 * One level of folders, since each further one makes every read a tenth slower.
 */
export class Folder {
  readonly path: string;
  /** Where tickets are. */
  readonly leases: string;
  /** What is being written: out of everybody's sight, and on the same disk, so that a rename is one step. */
  readonly temporary: string;

  constructor(path: string) {
    this.path = path;
    this.leases = join(path, "leases");
    this.temporary = join(path, "tmp");
  }

  async open(): Promise<void> {
    await makeFolders(this.leases);
    await makeFolders(this.temporary);
    // Whether this user may write is better known now than at the first write.
    const trial = this.temporaryPath();
    await writeFile(trial, [], "wx");
    await remove(trial);
  }

  hash(key: string): string {
    return hash("sha256", key, "hex").slice(0, 32);
  }

  entry(hash: string): string {
    return `${this.entryFolder(hash)}/${hash}`;
  }

  entryFolder(hash: string): string {
    return `${this.path}/${hash.slice(0, 3)}`;
  }

  lease(hash: string): string {
    return `${this.leases}/${hash}`;
  }

  temporaryPath(): string {
    return `${this.temporary}/${writer}-${written++}`;
  }

  /** Puts a file that was written into an entry's place in one step. */
  async publish(from: string, hash: string): Promise<void> {
    try {
      await rename(from, this.entry(hash));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      // The first entry of its folder; or what is to be moved is gone, which the second attempt tells.
      await makeFolders(this.entryFolder(hash));
      await rename(from, this.entry(hash));
    }
  }

  /** Does something that needs the folders for what is being written, and makes them again where somebody removed them. */
  async withFolders<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      await makeFolders(this.leases);
      await makeFolders(this.temporary);
      return act();
    }
  }
}
