#!/usr/bin/env bash
# msgpackr 2.1.3, jest and jest-environment-jsdom 30.5.2, Node 20.20.2 (2026-11-30)
#
# Guess: msgpackr packs a Buffer as binary data in each environment of Jest, or throws.
# What happens: a Buffer in the environment jsdom is no instance of that environment's Uint8Array. msgpackr then packs what
# the Buffer's toJSON returns. The reader gets a plain object, and nothing reports an error.
#
# Output:
#   node: a Uint8Array: true, 5 bytes packed, comes back as [Buffer] {"type":"Buffer","data":[97,98,99]}
#   jsdom: a Uint8Array: false, 24 bytes packed, comes back as [Object] {"type":"Buffer","data":[97,98,99]}
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts \
  msgpackr@2.1.3 jest@30.5.2 jest-environment-jsdom@30.5.2

cat > jest.config.js <<'JS'
// Without these conditions jsdom resolves msgpackr's ES module for browsers, which Jest cannot require.
module.exports = { testEnvironmentOptions: { customExportConditions: ["node", "require", "default"] } };
JS
cat > buffer.test.js <<'JS'
const { appendFileSync } = require("node:fs");
const { pack, unpack } = require("msgpackr");

test("a Buffer comes back", () => {
  const value = Buffer.from("abc");
  const packed = pack(value);
  const back = unpack(packed);
  const environment = typeof document === "undefined" ? "node" : "jsdom";
  const kind = Buffer.isBuffer(back) ? "Buffer" : back.constructor.name;
  appendFileSync(
    "seen.txt",
    `${environment}: a Uint8Array: ${value instanceof Uint8Array}, ${packed.length} bytes packed, ` +
      `comes back as [${kind}] ${JSON.stringify(back)}\n`,
  );
});
JS
timeout 120 npx jest --silent --env node 2> log.txt || { cat log.txt >&2; exit 1; }
timeout 120 npx jest --silent --env jsdom 2> log.txt || { cat log.txt >&2; exit 1; }

cat > expected.txt <<'TXT'
node: a Uint8Array: true, 5 bytes packed, comes back as [Buffer] {"type":"Buffer","data":[97,98,99]}
jsdom: a Uint8Array: false, 24 bytes packed, comes back as [Object] {"type":"Buffer","data":[97,98,99]}
TXT
cat seen.txt
diff expected.txt seen.txt
