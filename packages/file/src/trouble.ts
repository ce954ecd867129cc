import { codeOf } from "cacheme/driver";

/** The next step, for the person who gets the error. */
const advice: Readonly<Record<string, string>> = {
  EACCES: "Check that the folder and what is in it may be written by this user.",
  EDQUOT: "Make room within the user's quota, or give the storage a maxSize.",
  EEXIST: "A file stands where the storage wants a folder: give another folder.",
  EIO: "Check the disk.",
  EMFILE: "The process has too many files open: raise its limit (ulimit -n).",
  ENAMETOOLONG: "Give a folder with a shorter path.",
  ENFILE: "The machine has too many files open.",
  ENOSPC: "Make room on the disk, or give the storage a maxSize.",
  ENOTDIR: "A file stands where the storage wants a folder: give another folder.",
  ELOOP: "Symbolic links lead back to themselves: give another folder.",
  EPERM: "Check that the folder and what is in it may be written by this user.",
  EROFS: "The file system is mounted read-only: give another folder.",
};

export function adviceFor(error: Error): string {
  return advice[codeOf(error)] ?? "The system's own words say why.";
}

/** Says what to check if the folder cannot be opened. */
export function connectAdviceFor(error: Error): string {
  return codeOf(error) === "ETIMEDOUT" ? "Check that the disk answers." : adviceFor(error);
}

/** Whether the disk, or the user's part of it, is full. */
export function isFull(error: unknown): boolean {
  return /^(?:ENOSPC|EDQUOT)$/.test(codeOf(error));
}
