import fs from "node:fs";
import { codeOf, type StorageCall } from "cacheme/driver";
import { whenFree } from "./busy.js";

/**
 * The calls of the file system, with callbacks: `node:fs/promises` costs two to three times as much
 * for a small file.
 */

/** Keys that are worked at at once. Node does four things on the disk at a time; more only keep those busy. */
const atOnce = 32;

/** Bytes that hold the heading of every record. */
const longestHead = 8 * 1024;

/** Bytes that the first read takes: nearly every file is read by one. */
const firstRead = 64 * 1024;

/** The most that one call reads or writes: Node and Linux take a little less than 2 GiB. */
const mostBytes = 2 ** 30;

/** Opens a file and not what a symbolic link leads to. Windows does not have it, and lets few users make links. */
const noFollow = fs.constants.O_NOFOLLOW ?? 0;

/** `r` reads a file, `wx` makes one that must not be there, `r+` writes over one that must be there. */
const opening = {
  r: fs.constants.O_RDONLY | noFollow,
  wx: fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | noFollow,
  "r+": fs.constants.O_RDWR | noFollow,
} as const;

/** The answer of a use that needs the system's facts of the file. */
export const inDoubt: unique symbol = Symbol("in doubt");

/** Uses a file's content, and the system's facts of the file after an answer {@link inDoubt}. */
export type Use<T> = (content: Buffer, isShared: boolean, facts?: fs.Stats) => T | typeof inDoubt;

/** Buffers for first reads that nobody reads into just now. */
const spareBuffers: Buffer[] = [];

/** Whether the work is no longer wanted: a call past its deadline, or a storage that closes. */
export type Ending = Pick<StorageCall, "isLate">;

/** Does something for each, a bounded number at a time: a batch of 1,000 keys must not open 1,000 files at once. */
export async function forEach<T>(
  items: readonly T[],
  ending: Ending,
  act: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && !ending.isLate) {
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
  ending: Ending,
  answerTo: (item: T) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = new Array(items.length);
  await forEach(items, ending, async (item, index) => {
    answers[index] = await answerTo(item);
  });
  return answers;
}

/**
 * Reads a file: one open, one read, one close.
 *
 * @param use is given the content at once. Small files share a buffer, of which it must copy what it keeps
 * @param lengthOf the length of the whole, told by its beginning. Default: the first 64 KB are enough
 * @returns the result of `use`, or `undefined` if there is no file or a symbolic link
 */
export function readFile<T>(
  path: string,
  use: Use<T>,
  lengthOf: (beginning: Buffer) => number = () => 0,
): Promise<T | undefined> {
  // One promise and not one for each step: this is what a read costs beside the disk.
  return new Promise((resolve, reject) => {
    fs.open(path, opening.r, (error, file) => {
      if (error !== null) return isMissing(error) ? resolve(undefined) : reject(error);
      const buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(firstRead);
      const end = (): void => {
        if (spareBuffers.length < atOnce) spareBuffers.push(buffer);
        // Nothing was written, so nothing is lost by a close that fails, and nobody need wait for it.
        fs.close(file, () => {});
      };
      fs.read(file, buffer, 0, firstRead, 0, (error, read) => {
        try {
          // A folder opens like a file.
          if (error !== null && error.code !== "EISDIR") throw error;
          const length = error !== null || read < firstRead ? read : lengthOf(buffer);
          if (length > read) {
            const whole = readRest(file, buffer, length).then((content) => withFacts(file, use, content));
            return void whole.finally(end).then(resolve, reject);
          }
          const content = buffer.subarray(0, read);
          const used = error === null ? use(content, true) : undefined;
          if (used === inDoubt)
            return void withFacts(file, use, content, true).finally(end).then(resolve, reject);
          resolve(used);
        } catch (error) {
          reject(error);
        }
        end();
      });
    });
  });
}

/** Uses a content, with the facts of its file if they are needed. */
async function withFacts<T>(
  file: number,
  use: Use<T>,
  content: Buffer,
  isShared: boolean = false,
): Promise<T | undefined> {
  const first = use(content, isShared);
  if (first !== inDoubt) return first;
  const second = use(content, isShared, await settled<fs.Stats>((done) => fs.fstat(file, done)));
  return second === inDoubt ? undefined : second;
}

/** Reads the rest of a long file behind its beginning. Returns less if the file was cut off. */
async function readRest(file: number, beginning: Buffer, length: number): Promise<Buffer> {
  // A damaged length may be more than there is memory for.
  const { size } = await settled<fs.Stats>((done) => fs.fstat(file, done));
  if (size < length) return beginning;
  const whole = Buffer.allocUnsafeSlow(length);
  beginning.copy(whole);
  let done = beginning.length;
  while (done < length) {
    const wanted = Math.min(length - done, mostBytes);
    const more = await settled<number>((read) => fs.read(file, whole, done, wanted, done, read));
    if (more === 0) return whole.subarray(0, done);
    done += more;
  }
  return whole;
}

/**
 * Changes the time of a file's change, as a function of its first bytes and its facts tell. The file
 * stays open meanwhile, so no other file that takes its place is changed.
 *
 * @param next answers the new time in milliseconds, or `undefined` to leave it
 */
export async function changeTime(
  path: string,
  next: (beginning: Buffer, facts: fs.Stats) => number | undefined,
): Promise<void> {
  const opened = settled<number>((done) => fs.open(path, opening["r+"], done));
  const file = await opened.catch(ignoreMissing);
  if (file === false) return;
  try {
    const buffer = Buffer.alloc(longestHead);
    const read = await settled<number>((done) => fs.read(file, buffer, 0, longestHead, 0, done));
    const facts = await settled<fs.Stats>((done) => fs.fstat(file, done));
    const time = next(buffer.subarray(0, read), facts);
    if (time !== undefined)
      await settled((done) => fs.futimes(file, facts.atimeMs / 1000, time / 1000, done));
  } finally {
    await settled((done) => fs.close(file, done));
  }
}

export async function writeFile(
  path: string,
  parts: readonly Uint8Array[],
  flags: "wx" | "r+",
): Promise<void> {
  const file = await settled<number>((done) => fs.open(path, opening[flags], 0o600, done));
  try {
    let at = 0;
    for (const part of parts) {
      for (let from = 0; from < part.length; ) {
        const length = Math.min(part.length - from, mostBytes);
        const written = await settled<number>((done) => fs.write(file, part, from, length, at, done));
        from += written;
        at += written;
      }
    }
  } finally {
    await settled((done) => fs.close(file, done));
  }
}

export function rename(from: string, to: string): Promise<void> {
  return settled((done) => fs.rename(from, to, done));
}

/** Puts a file into the place of another one, if there is one. */
export function replace(from: string, to: string): Promise<void> {
  return whenFree(() => rename(from, to));
}

/** Whether it was there: of several that remove a file, one does. */
export async function remove(path: string): Promise<boolean> {
  const removed = whenFree(() => settled<void>((done) => fs.unlink(path, done)));
  return (await removed.catch(ignoreMissing)) !== false;
}

export function makeFolder(path: string): Promise<void> {
  return settled((done) => fs.mkdir(path, 0o700, done));
}

/** Makes it with all that it stands in, where they are not there. */
export async function makeFolders(path: string): Promise<void> {
  await fs.promises.mkdir(path, { recursive: true, mode: 0o700 });
}

/** Removes a folder if it is empty. A folder that is in use, or removed already, is no error. */
export function removeIfEmpty(path: string): Promise<void> {
  return new Promise((resolve) => fs.rmdir(path, () => resolve()));
}

/**
 * The names in a folder, none where there is no such folder.
 *
 * @param kind the names of files or folders only. A symbolic link is neither, and nothing is found
 *   behind one in the folder's place
 */
export async function namesIn(path: string, kind?: "isFile" | "isDirectory"): Promise<readonly string[]> {
  if (kind !== undefined && !(await isFolder(path))) return [];
  const reading = settled<fs.Dirent[]>((done) => fs.readdir(path, { withFileTypes: true }, done));
  const entries = (await reading.catch(ignoreMissing)) || [];
  return entries.filter((entry) => kind === undefined || entry[kind]()).map(({ name }) => name);
}

/** Whether it is a folder, and no symbolic link to one. */
export async function isFolder(path: string): Promise<boolean> {
  return (await lookAt(path))?.isDirectory() ?? false;
}

/** Returns the system's facts of a file without opening it, or `undefined` if there is none. */
export async function lookAt(path: string): Promise<fs.Stats | undefined> {
  return (await settled<fs.Stats>((done) => fs.lstat(path, done)).catch(ignoreMissing)) || undefined;
}

/**
 * Answers `false` for the error of a missing file or folder. A file or a symbolic link in the place of
 * a folder counts as missing.
 */
export function ignoreMissing(error: unknown): false {
  if (!isMissing(error)) throw error;
  return false;
}

function isMissing(error: unknown): boolean {
  return /^(?:ENOENT|ENOTDIR|ELOOP|EMLINK)$/.test(codeOf(error));
}

/** Makes a promise of a call with a callback. Nobody reads the result of a call without one. */
function settled<T>(start: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    start((error, result) => (error ? reject(error) : resolve(result as T))),
  );
}
