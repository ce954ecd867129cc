#!/usr/bin/env bash
# Node 20.20.2 (2026-12-01)
#
# Guess: `clear()` lets a Map forget its entries, so that a Map that is filled and cleared again and again holds no more
# than a new Map for each filling.
# What happens: `clear()` makes a new table, in the generation of the old one, and the old one keeps its entries. Once a table
# with an entry has survived a few collections of the young generation, every later table is in the old generation, too. Then each entry
# lives on, although nothing uses it, until the whole heap is collected. A new Map begins in the young generation.
#
# Output:
#   cleared: more than 8 MB of 10 are kept
#   replaced: less than 2 MB of 10 are kept
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > see.cjs <<'JS'
const young = () => gc({ type: "minor" });

function keptBy(emptied) {
  gc();
  let map = new Map([["key", "first"]]);
  for (let times = 0; times < 3; times++) young();
  const before = process.memoryUsage().heapUsed;
  for (let turn = 0; turn < 1_000; turn++) {
    map.set("key", { text: Buffer.alloc(10_000, "a").toString("latin1") });
    map = emptied(map);
    if (turn % 20 === 0) young();
  }
  young();
  young();
  return (process.memoryUsage().heapUsed - before) / 2 ** 20;
}

const words = (kept) => (kept > 8 ? "more than 8 MB" : kept < 2 ? "less than 2 MB" : `${kept.toFixed(1)} MB`);
const cleared = keptBy((map) => {
  map.clear();
  return map;
});
console.log(`cleared: ${words(cleared)} of 10 are kept`);
console.log(`replaced: ${words(keptBy(() => new Map()))} of 10 are kept`);
JS
node --expose-gc --initial-old-space-size=256 see.cjs > seen.txt

cat > expected.txt <<'TXT'
cleared: more than 8 MB of 10 are kept
replaced: less than 2 MB of 10 are kept
TXT
cat seen.txt
diff expected.txt seen.txt
