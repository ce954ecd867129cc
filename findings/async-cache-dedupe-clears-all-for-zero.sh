#!/usr/bin/env bash
# async-cache-dedupe 3.4.0, Node 20.20.2 (2026-11-30)
#
# Guess: clear("page", 0) removes the entry of page 0, as its README says of a call with an argument.
# What happens: the argument counts only if it is truthy. 0 and "" remove the entries of all arguments.
#
# Output:
#   clear("page", 1) removed [1]
#   clear("page", 0) removed [0,1,2]
#   clear("page", "") removed [0,1,2]
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts async-cache-dedupe@3.4.0

cat > clear.mjs <<'JS'
import { createCache } from "async-cache-dedupe";

let loaded = [];
const cache = createCache({ ttl: 600 });
cache.define("page", async (number) => {
  loaded.push(number);
  return `page ${number}`;
});
const readAll = async () => {
  loaded = [];
  for (const number of [0, 1, 2]) await cache.page(number);
};

await readAll();
for (const argument of [1, 0, ""]) {
  await cache.clear("page", argument);
  await readAll();
  console.log(`clear("page", ${JSON.stringify(argument)}) removed ${JSON.stringify(loaded)}`);
}
JS
timeout 60 node clear.mjs > seen.txt
cat > expected.txt <<'TXT'
clear("page", 1) removed [1]
clear("page", 0) removed [0,1,2]
clear("page", "") removed [0,1,2]
TXT
cat seen.txt
diff expected.txt seen.txt
