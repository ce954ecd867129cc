#!/usr/bin/env bash
# redis-server 7.0.15 from the system, ioredis 5.11.1, Node 20.20.2 (2026-12-01)
#
# Guess: with CLIENT TRACKING … NOLOOP a client gets no report of a key that it has changed itself.
# What happens: NOLOOP leaves out the client's commands, and reports the keys that its own scripts write. A cache that fills
# by a script drops its own new entry.
#
# Output:
#   SET by the client: no report
#   SET by the client's script: its own key is reported
#   SET by another client: the key is reported
set -euo pipefail
command -v redis-server > /dev/null || { echo "skipped: redis-server is not installed"; exit 0; }
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts ioredis@5.11.1

# A socket file instead of a port: nothing listens on the network.
timeout 120 redis-server --port 0 --unixsocket "$dir/socket" --save "" --dir "$dir" > log.txt &
server=$!
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.1; done

cat > noloop.mjs <<'JS'
import { Redis } from "ioredis";

const connect = () => new Redis({ path: "socket" });
const [subscriber, client, other] = [connect(), connect(), connect()];
const id = await subscriber.client("ID");
const reported = new Set();
subscriber.on("messageBuffer", (_, keys) => keys.forEach((key) => reported.add(String(key))));
await subscriber.subscribe("__redis__:invalidate");
await client.call("CLIENT", "TRACKING", "ON", "REDIRECT", id, "BCAST", "NOLOOP");

let marks = 0;
/** Waits for the report of a later change: reports come in the order of the changes. */
async function isReported(key) {
  const mark = `mark ${++marks}`;
  await other.set(mark, "x");
  while (!reported.has(mark)) await new Promise((resolve) => setTimeout(resolve, 1));
  return reported.has(key);
}

await client.set("command", "x");
console.log(`SET by the client: ${(await isReported("command")) ? "its own key is reported" : "no report"}`);
await client.eval("return redis.call('SET', KEYS[1], 'x')", 1, "script");
console.log(`SET by the client's script: ${(await isReported("script")) ? "its own key is reported" : "no report"}`);
await other.set("other", "x");
console.log(`SET by another client: ${(await isReported("other")) ? "the key is reported" : "no report"}`);
for (const one of [subscriber, client, other]) one.disconnect();
JS
timeout 60 node noloop.mjs > seen.txt
cat > expected.txt <<'TXT'
SET by the client: no report
SET by the client's script: its own key is reported
SET by another client: the key is reported
TXT
cat seen.txt
diff expected.txt seen.txt
