import { mkdtempSync, readFile, rmSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { file as storage } from "@cacheme/file";
import type { StorageSubject } from "./subject.js";

/**
 * `fs.readFile` and `fs.writeFile` of all files concurrently. Writes go to a temporary name first,
 * because a reader must never find half a file. Reads use callbacks, which are faster than
 * `node:fs/promises`.
 */
export const file: StorageSubject = {
  name: "file",
  async start() {
    const folder = mkdtempSync(join(tmpdir(), "cacheme-bench-"));
    const pathOf = (key: string) => `${folder}/${encodeURIComponent(key)}`;
    const read = (path: string) =>
      new Promise<Buffer>((resolve, reject) =>
        readFile(path, (error, bytes) => (error ? reject(error) : resolve(bytes))),
      );
    let written = 0;
    return {
      storage: storage(join(folder, "storage"), { commandTimeout: "1m" }),
      bare: {
        readMany: (keys) => Promise.all(keys.map((key) => read(pathOf(key)))),
        writeMany: (records) =>
          Promise.all(
            records.map(async ({ key, bytes }) => {
              const temporary = `${folder}/${written++}.tmp`;
              await writeFile(temporary, bytes);
              await rename(temporary, pathOf(key));
            }),
          ),
      },
      stop: async () => rmSync(folder, { recursive: true }),
    };
  },
};
