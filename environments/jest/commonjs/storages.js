const { setTimeout: wait } = require("node:timers/promises");

/** A remote storage in this process that answers after some real time, like a server. */
exports.slowShelf = function slowShelf() {
  const records = new Map();
  return {
    records,
    kind: "remote",
    label: "a slow shelf",
    connect: async () => {},
    close: async () => {},
    ping: async () => {},
    async readMany(keys) {
      await wait(1);
      return keys.map((key) => records.get(key));
    },
    async writeMany(written) {
      await wait(1);
      for (const { key, bytes } of written) records.set(key, bytes);
    },
    async removeMany(keys) {
      await wait(1);
      return keys.filter((key) => records.delete(key)).length;
    },
  };
};
