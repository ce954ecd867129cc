import type { ScanPage } from "cacheme/driver";
import { now } from "./clock.js";
import { type Ending, mapEach, readFile } from "./disk.js";
import { type Folder, pathsIn } from "./folder.js";
import { type Heading, headingIn } from "./record.js";
import { isRunning, Tickets } from "./tickets.js";

/** Keys in a page of a scan: so many files are opened for it. */
const scanPage = 1000;

/** Folders that are read for a scan in one go: with 100,000 keys as many as fill a page. */
const foldersAtOnce = 32;

/** First the leases, then the entries: a key whose lease is filled meanwhile is in one of both. */
export async function* pagesOf(folder: Folder, page: ScanPage): AsyncGenerator<readonly string[]> {
  const hashes = await page(() => folder.leased());
  for (let from = 0; from < hashes.length; from += scanPage) {
    const paths = await page((call) => runningTickets(folder, hashes.slice(from, from + scanPage), call));
    // The name of a ticket says that it holds, and not the time in its content, which an extension leaves as it is.
    yield page((call) => keysIn(paths, call, () => true));
  }
  const folders = await page(() => folder.entryFolders());
  let paths: string[] = [];
  for (let from = 0; from < folders.length; from += foldersAtOnce) {
    const some = folders.slice(from, from + foldersAtOnce);
    paths = paths.concat(...(await page(() => Promise.all(some.map(pathsIn)))));
    const isLast = from + foldersAtOnce >= folders.length;
    while (paths.length >= scanPage || (isLast && paths.length > 0)) {
      const next = paths.slice(0, scanPage);
      paths = paths.slice(scanPage);
      yield page((call) => keysIn(next, call, ({ expires }) => expires > now()));
    }
  }
}

async function runningTickets(folder: Folder, hashes: readonly string[], call: Ending): Promise<string[]> {
  const paths = await mapEach(hashes, call, async (hash) =>
    (await new Tickets(folder, hash).list())
      .filter((ticket) => ticket.kind === "lease" && isRunning(ticket))
      .map(({ name }) => `${folder.lease(hash)}/${name}`),
  );
  return paths.flat();
}

async function keysIn(
  paths: readonly string[],
  call: Ending,
  isThere: (heading: Heading) => boolean,
): Promise<string[]> {
  const headings = await mapEach(paths, call, (path) => readFile(path, headingIn));
  return headings.flatMap((heading) => (heading !== undefined && isThere(heading) ? [heading.key] : []));
}
