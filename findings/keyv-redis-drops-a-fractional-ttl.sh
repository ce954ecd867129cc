#!/usr/bin/env bash
# keyv 5.6.0, @keyv/redis 5.1.6, redis-server from the system, Node 20.20.2 (2026-11-30)
#
# Guess: a ttl with a fraction, such as one with random jitter, is rounded for Redis, or set() answers false.
# What happens: set() answers true and stores nothing. @keyv/redis passes the fraction to Redis, which refuses it, and
# reports that only as an event; keyv takes the missing result for success. With a Map the same ttl works.
#
# Output:
#   Map: set true, get "value"
#   Redis: set true, get undefined
#   error event: ERR value is not an integer or out of range
set -euo pipefail
command -v redis-server > /dev/null || { echo "skipped: redis-server is not installed"; exit 0; }
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts keyv@5.6.0 @keyv/redis@5.1.6

# A socket file instead of a port: nothing listens on the network.
timeout 120 redis-server --port 0 --unixsocket "$dir/socket" --save "" --dir "$dir" > log.txt &
server=$!
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.1; done

cat > jitter.mjs <<'JS'
import KeyvRedis, { createClient } from "@keyv/redis";
import { Keyv } from "keyv";

const client = createClient({ socket: { path: "socket" } });
await client.connect();
const errors = [];
for (const [name, store] of [["Map", new Map()], ["Redis", new KeyvRedis(client)]]) {
  const keyv = new Keyv({ store });
  keyv.on("error", (error) => errors.push(error.message));
  const stored = await keyv.set("key", "value", 600_000.5);
  console.log(`${name}: set ${stored}, get ${JSON.stringify(await keyv.get("key"))}`);
}
console.log(errors.map((message) => `error event: ${message}`).join("\n"));
client.destroy();
JS
timeout 60 node jitter.mjs > seen.txt
cat > expected.txt <<'TXT'
Map: set true, get "value"
Redis: set true, get undefined
error event: ERR value is not an integer or out of range
TXT
cat seen.txt
diff expected.txt seen.txt
