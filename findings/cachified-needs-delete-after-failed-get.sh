#!/usr/bin/env bash
# @epic-web/cachified 5.6.3, Node 20.20.2 (2026-11-30)
#
# Guess: a cache whose methods reject costs the read nothing but a load, whichever method it is.
# What happens: a rejected get or set alone is a miss. But after a rejected get cachified removes the key, without a catch.
# If the storage is down for both, the read rejects with the storage's error and never asks getFreshValue.
#
# Output:
#   rejected get: "fresh" after 1 load(s)
#   rejected set: "fresh" after 1 load(s)
#   rejected delete: "fresh" after 1 load(s)
#   rejected get, set: "fresh" after 1 load(s)
#   rejected get, delete: Error: no connection for delete after 0 load(s)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts @epic-web/cachified@5.6.3

cat > read.mjs <<'JS'
import { cachified } from "@epic-web/cachified";

const working = { get: async () => undefined, set: async () => {}, delete: async () => {} };
const failing = (name) => async () => {
  throw new Error(`no connection for ${name}`);
};

for (const methods of [["get"], ["set"], ["delete"], ["get", "set"], ["get", "delete"]]) {
  const cache = { ...working, ...Object.fromEntries(methods.map((name) => [name, failing(name)])) };
  let loads = 0;
  const getFreshValue = async () => {
    loads++;
    return "fresh";
  };
  const outcome = await cachified({ key: "user:1", ttl: 60_000, cache, getFreshValue }).then(JSON.stringify, String);
  console.log(`rejected ${methods.join(", ")}: ${outcome} after ${loads} load(s)`);
}
JS
timeout 60 node read.mjs > seen.txt
cat > expected.txt <<'TXT'
rejected get: "fresh" after 1 load(s)
rejected set: "fresh" after 1 load(s)
rejected delete: "fresh" after 1 load(s)
rejected get, set: "fresh" after 1 load(s)
rejected get, delete: Error: no connection for delete after 0 load(s)
TXT
cat seen.txt
diff expected.txt seen.txt
