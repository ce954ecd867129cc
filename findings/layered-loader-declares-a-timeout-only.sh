#!/usr/bin/env bash
# layered-loader 14.2.2, ioredis 5.11.1, redis-server from the system, Node 20.20.2 (2026-11-30)
#
# Guess: `timeoutInMsecs: 50` of RedisCache gives up on a Redis that does not answer for half a second. The README says that
# the operation fails and the next data source is used.
# What happens: a type declaration has the option, and no line of code does. The read waits until Redis answers.
#
# Output:
#   files that name the option: dist/lib/redis/AbstractRedisCache.d.ts
#   read with Redis paused for 500 ms: "from Redis", waited more than 400 ms: true
set -euo pipefail
command -v redis-server > /dev/null || { echo "skipped: redis-server is not installed"; exit 0; }
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts layered-loader@14.2.2 ioredis@5.11.1

# A socket file instead of a port: nothing listens on the network.
timeout 120 redis-server --port 0 --unixsocket "$dir/socket" --save "" --dir "$dir" > log.txt &
server=$!
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.1; done

cat > paused.mjs <<'JS'
import { Redis } from "ioredis";
import { Loader, RedisCache } from "layered-loader";

const redis = new Redis({ path: "socket" });
const loaderOf = (value) =>
  new Loader({
    asyncCache: new RedisCache(redis, { ttlInMsecs: 600_000, timeoutInMsecs: 50 }),
    dataSourceGetOneFn: async () => value,
    dataSourceGetManyFn: async () => [],
  });
await loaderOf("from Redis").get("key");

const started = performance.now();
await redis.call("CLIENT", "PAUSE", "500", "ALL");
const value = await loaderOf("from the source").get("key");
const hasWaited = performance.now() - started > 400;
console.log(`read with Redis paused for 500 ms: ${JSON.stringify(value)}, waited more than 400 ms: ${hasWaited}`);
redis.disconnect();
JS
(cd node_modules/layered-loader && grep -rl timeoutInMsecs dist | sed 's/^/files that name the option: /') > seen.txt
timeout 60 node paused.mjs >> seen.txt
cat > expected.txt <<'TXT'
files that name the option: dist/lib/redis/AbstractRedisCache.d.ts
read with Redis paused for 500 ms: "from Redis", waited more than 400 ms: true
TXT
cat seen.txt
diff expected.txt seen.txt
