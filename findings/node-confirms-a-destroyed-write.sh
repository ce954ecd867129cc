#!/usr/bin/env bash
# Node 20.20.2, node:net, beside Node 22.23.5 (2026-11-30)
#
# Guess: if destroy() or resetAndDestroy() drops a write under way, the write's callback gets an error, as the callback of
# the next write in the queue does.
# What happens: in Node 20 the callback of the write under way gets null, as after success. Only the queued write gets an
# error. A driver that trusts the callback believes that its request was sent. Node 22 reports both.
#
# Output:
#   v20.20.2 destroy: first write null, second write ERR_STREAM_DESTROYED, all received: false
#   v20.20.2 resetAndDestroy: first write null, second write ERR_STREAM_DESTROYED, all received: false
#   v22.23.5 destroy: first write ECANCELED, second write ECANCELED, all received: false
#   v22.23.5 resetAndDestroy: first write ECANCELED, second write ECANCELED, all received: false
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
build=node-$(node --print 'process.platform + "-" + process.arch')
timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts \
  "node20@npm:$build@20.20.2" "node22@npm:$build@22.23.5"

cat > destroy.mjs <<'JS'
import { once } from "node:events";
import { connect, createServer } from "node:net";

for (const method of ["destroy", "resetAndDestroy"]) {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect(server.address().port, "127.0.0.1");
  const [[peer]] = await Promise.all([once(server, "connection"), once(socket, "connect")]);
  let received = 0;
  peer.on("data", (data) => (received += data.length));
  peer.pause(); // The kernel takes a few megabytes, and the rest waits in the writer.
  const peerClosed = new Promise((resolve) => peer.on("error", () => {}).on("close", resolve));

  const outcomes = [];
  socket.write(Buffer.alloc(50_000_000), (error) => outcomes.push(`first write ${error?.code ?? error}`));
  socket.write("last", (error) => outcomes.push(`second write ${error?.code ?? error}`));
  const socketClosed = once(socket, "close");
  socket[method]();
  await socketClosed;
  peer.resume();
  await peerClosed;
  server.close();
  console.log(`${process.version} ${method}: ${outcomes.sort().join(", ")}, all received: ${received >= 50_000_000}`);
}
JS
for version in 20 22; do timeout 60 "node_modules/node$version/bin/node" destroy.mjs; done > seen.txt
cat > expected.txt <<'TXT'
v20.20.2 destroy: first write null, second write ERR_STREAM_DESTROYED, all received: false
v20.20.2 resetAndDestroy: first write null, second write ERR_STREAM_DESTROYED, all received: false
v22.23.5 destroy: first write ECANCELED, second write ECANCELED, all received: false
v22.23.5 resetAndDestroy: first write ECANCELED, second write ECANCELED, all received: false
TXT
cat seen.txt
diff expected.txt seen.txt
