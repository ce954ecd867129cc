const { defineNode } = require("cacheme");

let loads = 0;

/** Starts the count of loads again. */
exports.restart = () => {
  loads = 0;
};

exports.load = () => ++loads;

/** Nodes in memory and in files. Their values are the numbers of their loads. */
exports.counted = defineNode({
  name: "counted",
  caches: [{ storage: "local", ttl: "1m" }],
  key: (id) => id,
  load: exports.load,
});
exports.filed = defineNode({
  name: "filed",
  caches: [{ storage: "files" }],
  key: (id) => id,
  load: exports.load,
});
