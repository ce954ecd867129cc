#!/usr/bin/env bash
# cache-manager 7.2.9, keyv 5.6.0, Node 20.20.2 (2026-11-30)
#
# Guess: wrap() copies a value that only the second store has into the first store for what is left of its time. The ttl
# that wrap() takes is for a value that its function returns.
# What happens: the copy gets the whole ttl of this wrap(). The first store serves a value that has expired in the store it
# came from, and the function is not called.
#
# Output:
#   at 0 s: set("key", "old") in the second store for 10 s
#   at 9 s: wrap for 60 s returns "old", function called 0 times
#   at 11 s: second store has undefined, wrap returns "old", function called 0 times
#   at 68 s: second store has undefined, wrap returns "old", function called 0 times
#   at 70 s: second store has undefined, wrap returns "new", function called 1 times
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts cache-manager@7.2.9 keyv@5.6.0

cat > wrap.mjs <<'JS'
import { createCache } from "cache-manager";
import { Keyv } from "keyv";

// Both packages read only this clock, so that no step has to wait.
let seconds = 0;
Date.now = () => seconds * 1000;

const second = new Keyv({ store: new Map() });
const cache = createCache({ stores: [new Keyv({ store: new Map() }), second] });
let calls = 0;
const wrap = async () => `"${await cache.wrap("key", () => (calls++, "new"), 60_000)}", function called ${calls} times`;

await second.set("key", "old", 10_000);
console.log('at 0 s: set("key", "old") in the second store for 10 s');
seconds = 9;
console.log(`at 9 s: wrap for 60 s returns ${await wrap()}`);
for (seconds of [11, 68, 70])
  console.log(`at ${seconds} s: second store has ${await second.get("key")}, wrap returns ${await wrap()}`);
JS
timeout 60 node wrap.mjs > seen.txt
cat > expected.txt <<'TXT'
at 0 s: set("key", "old") in the second store for 10 s
at 9 s: wrap for 60 s returns "old", function called 0 times
at 11 s: second store has undefined, wrap returns "old", function called 0 times
at 68 s: second store has undefined, wrap returns "old", function called 0 times
at 70 s: second store has undefined, wrap returns "new", function called 1 times
TXT
cat seen.txt
diff expected.txt seen.txt
