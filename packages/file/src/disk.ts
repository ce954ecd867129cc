import fs from "node:fs";
import { whenFree } from "./busy.js";
import { codeOf } from "./trouble.js";

/**
 * The calls of the file system that are needed, with callbacks: `node:fs/promises` makes an object for every open file and
 * asks for its size, which costs two to three times as much for a small one.
 */

/** Keys that are worked at at once. Node does four things on the disk at a time; more only keep those busy. */
const atOnce = 32;

/** Bytes that the first read takes: nearly every file is read by one. */
const firstRead = 64 * 1024;

/** The most that one call reads or writes: Node and Linux take a little less than 2 GiB. */
const mostBytes = 2 ** 30;

/** Opens a file and not what a symbolic link leads to. Windows does not have it, and lets few users make links. */
const noFollow = fs.constants.O_NOFOLLOW ?? 0;

const opening = {
  /** To read a file. */
  r: fs.constants.O_RDONLY | noFollow,
  /** To make a file that must not be there. */
  wx: fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | noFollow,
  /** To write over a file that must be there. */
  "r+": fs.constants.O_RDWR | noFollow,
} as const;

/** Buffers for first reads that nobody reads into just now. */
const spareBuffers: Buffer[] = [];

/** Does something for each, a bounded number at a time: a batch of 1,000 keys must not open 1,000 files at once. */
export async function forEach<T>(
  items: readonly T[],
  isOver: () => boolean,
  act: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && !isOver()) {
      const index = next++;
      const item = items[index];
      if (item !== undefined) await act(item, index);
    }
  };
  // All are waited for, so that nothing goes on behind the back of a call that was answered.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** {@link forEach} with an answer for each item. */
export async function mapEach<T, Answer>(
  items: readonly T[],
  isOver: () => boolean,
  answerTo: (item: T) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = new Array(items.length);
  await forEach(items, isOver, async (item, index) => {
    answers[index] = await answerTo(item);
  });
  return answers;
}

/** {@link forEach} that goes on after an item has failed. */
export function forEachAlone<T>(
  items: readonly T[],
  isOver: () => boolean,
  act: (item: T) => Promise<void>,
  failed: (item: T, error: unknown) => void,
): Promise<void> {
  return forEach(items, isOver, (item) => act(item).catch((error: unknown) => failed(item, error)));
}

/**
 * Reads a file: one open, one read, one close.
 *
 * @param lengthOf the length of the whole, told by its beginning
 * @param use is given the content at once. Small files share a buffer, of which it must copy what it keeps
 * @returns the result of `use`, or `undefined` if there is no file or a symbolic link
 */
export function readFile<T>(
  path: string,
  lengthOf: (beginning: Buffer) => number,
  use: (content: Buffer, isShared: boolean) => T,
): Promise<T | undefined> {
  // One promise and not one for each step: this is what a read costs beside the disk.
  return new Promise((resolve, reject) => {
    fs.open(path, opening.r, (error, file) => {
      if (error !== null) return isMissing(error) ? resolve(undefined) : reject(error);
      const buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(firstRead);
      const end = (act: () => void): void => {
        if (spareBuffers.length < atOnce) spareBuffers.push(buffer);
        // Nothing was written, so nothing is lost by a close that fails, and nobody need wait for it.
        fs.close(file, () => {});
        act();
      };
      fs.read(file, buffer, 0, firstRead, 0, (error, read) => {
        // A folder opens like a file.
        if (error?.code === "EISDIR") return end(() => resolve(undefined));
        if (error !== null) return end(() => reject(error));
        try {
          const length = read < firstRead ? read : lengthOf(buffer);
          if (length <= read) {
            const result = use(buffer.subarray(0, read), true);
            return end(() => resolve(result));
          }
          readRest(file, buffer, length)
            .then((content) => use(content, false))
            .then(
              (result) => end(() => resolve(result)),
              (error: unknown) => end(() => reject(error)),
            );
        } catch (error) {
          end(() => reject(error));
        }
      });
    });
  });
}

/** Reads the rest of a long file behind its beginning. Returns less if the file was cut off. */
async function readRest(file: number, beginning: Buffer, length: number): Promise<Buffer> {
  // A damaged length may be more than there is memory for.
  if ((await sizeOf(file)) < length) return beginning;
  const whole = Buffer.allocUnsafeSlow(length);
  beginning.copy(whole);
  let done = beginning.length;
  while (done < length) {
    const more = await readInto(file, whole, done, Math.min(length - done, mostBytes));
    if (more === 0) return whole.subarray(0, done);
    done += more;
  }
  return whole;
}

/**
 * Writes a file. Nobody else may read it before this has settled.
 *
 * @param flags `wx` makes it, and fails where it is already; `r+` writes over one that must be there
 */
export async function writeFile(
  path: string,
  parts: readonly Uint8Array[],
  flags: "wx" | "r+",
): Promise<void> {
  const file = await openFile(path, opening[flags]);
  try {
    let at = 0;
    for (const part of parts) {
      for (let done = 0; done < part.length; ) {
        const written = await writeFrom(file, part, done, at);
        done += written;
        at += written;
      }
    }
  } finally {
    await closeFile(file);
  }
}

export function rename(from: string, to: string): Promise<void> {
  return new Promise((resolve, reject) => fs.rename(from, to, settle(resolve, reject)));
}

/** Puts a file into the place of another one, if there is one. */
export function replace(from: string, to: string): Promise<void> {
  return whenFree(() => rename(from, to));
}

/** Whether it was there: of several that remove a file, one does. */
export async function remove(path: string): Promise<boolean> {
  try {
    await whenFree(() => new Promise<void>((resolve, reject) => fs.unlink(path, settle(resolve, reject))));
    return true;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

export function makeFolder(path: string): Promise<void> {
  return new Promise((resolve, reject) => fs.mkdir(path, 0o700, settle(resolve, reject)));
}

/** Makes it with all that it stands in, where they are not there. */
export async function makeFolders(path: string): Promise<void> {
  await fs.promises.mkdir(path, { recursive: true, mode: 0o700 });
}

/** Removes a folder if it is empty. A folder that is in use, or removed already, is no error. */
export function removeIfEmpty(path: string): Promise<void> {
  return new Promise((resolve) => fs.rmdir(path, () => resolve()));
}

/** All names in a folder, none where there is no such folder. */
export async function namesIn(path: string): Promise<readonly string[]> {
  return (await entriesOf(path)).map(({ name }) => name);
}

/** The names of the files in a folder. A symbolic link is none, and nothing is found behind one in the folder's place. */
export async function filesIn(path: string): Promise<readonly string[]> {
  return (await ownEntriesOf(path)).filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** The names of the folders in a folder, likewise. */
export async function foldersIn(path: string): Promise<readonly string[]> {
  return (await ownEntriesOf(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Whether it is a folder, and no symbolic link to one. */
export async function isFolder(path: string): Promise<boolean> {
  return (await lookAt(path))?.isDirectory() ?? false;
}

async function ownEntriesOf(path: string): Promise<readonly fs.Dirent[]> {
  return (await isFolder(path)) ? entriesOf(path) : [];
}

async function entriesOf(path: string): Promise<readonly fs.Dirent[]> {
  const found = await new Promise<fs.Dirent[]>((resolve, reject) =>
    fs.readdir(path, { withFileTypes: true }, (error, found) => (error ? reject(error) : resolve(found))),
  ).catch(ignoreMissing);
  return found ?? [];
}

/** Returns the system's facts of a file without opening it, or `undefined` if there is none. */
export async function lookAt(path: string): Promise<fs.Stats | undefined> {
  return new Promise<fs.Stats>((resolve, reject) =>
    fs.lstat(path, (error, found) => (error ? reject(error) : resolve(found))),
  ).catch(ignoreMissing);
}

/**
 * Ignores the error of a missing file or folder. A file in the place of a folder counts as missing, and so does a symbolic
 * link (ELOOP, and EMLINK on FreeBSD).
 */
function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
  return undefined;
}

function isMissing(error: unknown): boolean {
  return /^(?:ENOENT|ENOTDIR|ELOOP|EMLINK)$/.test(codeOf(error));
}

function openFile(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.open(path, flags, 0o600, (error, file) => (error ? reject(error) : resolve(file))),
  );
}

function closeFile(file: number): Promise<void> {
  return new Promise((resolve, reject) => fs.close(file, settle(resolve, reject)));
}

function sizeOf(file: number): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.fstat(file, (error, found) => (error ? reject(error) : resolve(found.size))),
  );
}

function readInto(file: number, buffer: Buffer, at: number, length: number): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.read(file, buffer, at, length, at, (error, read) => (error ? reject(error) : resolve(read))),
  );
}

function writeFrom(file: number, part: Uint8Array, from: number, at: number): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.write(file, part, from, Math.min(part.length - from, mostBytes), at, (error, written) =>
      error ? reject(error) : resolve(written),
    ),
  );
}

function settle(resolve: () => void, reject: (error: Error) => void): (error: Error | null) => void {
  return (error) => (error === null || error === undefined ? resolve() : reject(error));
}
