#!/usr/bin/env bash
# memcached 1.6.18 with -M (an error instead of eviction when full), from the system (2026-11-30)
#
# Guess: on a full server `mg KEY N30` (create an item on a miss) answers SERVER_ERROR, as `ms` and `ma … N30` do.
# What happens: it answers EN, the plain miss, and creates nothing. A client that wants to be the one that recaches never
# gets the flag W, and sees no error either.
#
# Output:
#   with room: mg a N30 v -> VA 0 W
#   full: ms b 1 -> SERVER_ERROR out of memory storing object
#   full: ma c N30 -> SERVER_ERROR Out of memory allocating new item
#   full: mg d N30 v -> EN
#   full: mg d N30 v -> EN
set -euo pipefail
command -v memcached > /dev/null || { echo "skipped: memcached is not installed"; exit 0; }
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"

# A socket file instead of a port: nothing listens on the network.
timeout 120 memcached -s "$dir/socket" -u "$(id -un)" -m 2 -M &
server=$!

cat > talk.mjs <<'JS'
import { once } from "node:events";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";

const socket = createConnection("socket");
await once(socket, "connect");
const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
const ask = async (request) => {
  socket.write(`${request}\r\n`);
  return (await lines.next()).value;
};
const show = async (state, request, data) =>
  console.log(`${state}: ${request} -> ${await ask(data === undefined ? request : `${request}\r\n${data}`)}`);

await show("with room", "mg a N30 v");
await lines.next(); // the empty value's line
for (let i = 0; i < 100_000 && (await ask(`ms fill${i} 1\r\nx`)) === "HD"; i++);
await show("full", "ms b 1", "x");
await show("full", "ma c N30");
await show("full", "mg d N30 v");
await show("full", "mg d N30 v");
socket.destroy();
JS
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.1; done
timeout 60 node talk.mjs > seen.txt
cat > expected.txt <<'TXT'
with room: mg a N30 v -> VA 0 W
full: ms b 1 -> SERVER_ERROR out of memory storing object
full: ma c N30 -> SERVER_ERROR Out of memory allocating new item
full: mg d N30 v -> EN
full: mg d N30 v -> EN
TXT
cat seen.txt
diff expected.txt seen.txt
