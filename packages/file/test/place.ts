import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectedForTest } from "@cacheme/test-services/disk/storage-helpers";
import type { RemoteStorage } from "cacheme/driver";
import { onTestFinished } from "vitest";
import { Folder } from "../src/folder.js";
import { type FileConnectionOptions, type FileStorageOptions, file } from "../src/index.js";

/**
 * Makes a folder for a test: in memory, if the machine has a roomy folder there, because 100,000 files take a minute on a
 * disk; else on the disk.
 */
export function newFolder(): string {
  return mkdtempSync(join(isRoomy("/dev/shm") ? "/dev/shm" : tmpdir(), "cacheme-file-"));
}

function isRoomy(path: string): boolean {
  if (!existsSync(path)) return false;
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize > 2 ** 31;
}

/** A folder of the test's own. */
export function place(): string {
  const folder = newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A storage that is connected, and closed after the test. */
export async function connected(
  target: string | URL | FileConnectionOptions,
  options: FileStorageOptions = {},
): Promise<RemoteStorage> {
  return connectedForTest(file(target, { commandTimeout: "30s", ...options }));
}

/** Returns the path of a key's entry. */
export function entryOf(path: string, key: string): string {
  const folder = new Folder(path);
  return folder.entry(folder.hash(key));
}

/** All entries, by their paths. */
export function entriesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) =>
    /^...\/[0-9a-f]{32}$/.test(name),
  );
}
