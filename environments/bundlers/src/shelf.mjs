// A remote storage that lasts as long as the process, in whichever bundle it is created.

/** The records of the storages in all bundles. */
globalThis.shelf ??= new Map();
const records = globalThis.shelf;

export function shelf() {
  return {
    kind: "remote",
    label: "a shelf",
    connect: async () => {},
    close: async () => {},
    ping: async () => {},
    readMany: async (keys) => keys.map((key) => records.get(key)),
    writeMany: async (written) => {
      for (const { key, bytes } of written) records.set(key, bytes);
    },
    removeMany: async (keys) => keys.filter((key) => records.delete(key)).length,
  };
}
