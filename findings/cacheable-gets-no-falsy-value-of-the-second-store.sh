#!/usr/bin/env bash
# cacheable 2.5.0, keyv 5.6.0, Node 20.20.2 (2026-11-30)
#
# Guess: a second process reads from the shared secondary store whatever the first one set there.
# What happens: get() gives undefined for 0, false, "" and null, though has() gives true and getMany() the value. So
# getOrSet() loads again in each process. In the process that set the value, get() works, since its primary has it.
#
# Output:
#   1: writer 1, reader: has true, getMany [1], get 1, getOrSet 1
#   0: writer 0, reader: has true, getMany [0], get undefined, getOrSet "loaded"
#   false: writer false, reader: has true, getMany [false], get undefined, getOrSet "loaded"
#   "": writer "", reader: has true, getMany [""], get undefined, getOrSet "loaded"
#   null: writer null, reader: has true, getMany [null], get undefined, getOrSet "loaded"
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts cacheable@2.5.0 keyv@5.6.0

cat > falsy.mjs <<'JS'
import { Cacheable } from "cacheable";
import { Keyv } from "keyv";

const shared = new Map();
const cacheOfProcess = () => new Cacheable({ secondary: new Keyv({ store: shared }) });
for (const value of [1, 0, false, "", null]) {
  const writer = cacheOfProcess();
  await writer.set("key", value);
  const has = await cacheOfProcess().has("key");
  const answers = {
    writer: await writer.get("key"),
    getMany: await cacheOfProcess().getMany(["key"]),
    get: await cacheOfProcess().get("key"),
    getOrSet: await cacheOfProcess().getOrSet("key", async () => "loaded"),
  };
  const [first, ...others] = Object.entries(answers).map(([name, answer]) => `${name} ${JSON.stringify(answer)}`);
  console.log(`${JSON.stringify(value)}: ${first}, reader: has ${has}, ${others.join(", ")}`);
}
JS
timeout 60 node falsy.mjs > seen.txt
cat > expected.txt <<'TXT'
1: writer 1, reader: has true, getMany [1], get 1, getOrSet 1
0: writer 0, reader: has true, getMany [0], get undefined, getOrSet "loaded"
false: writer false, reader: has true, getMany [false], get undefined, getOrSet "loaded"
"": writer "", reader: has true, getMany [""], get undefined, getOrSet "loaded"
null: writer null, reader: has true, getMany [null], get undefined, getOrSet "loaded"
TXT
cat seen.txt
diff expected.txt seen.txt
