#!/usr/bin/env bash
# layered-loader 14.2.2, ioredis 5.11.1, redis-server from the system, Node 20.20.2 (2026-11-30)
#
# Guess: a null that the source returned is cached as null (README: null means "resolved, but empty", and is cached), with
# `json: true` by JSON.stringify and JSON.parse.
# What happens: RedisCache converts truthy values only. ioredis sends null as an empty string, so the first reader gets null
# and each reader after it gets "". The memory cache keeps null.
#
# Output:
#   memory: null null
#   redis, json: true: null ""
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

cat > null.mjs <<'JS'
import { Redis } from "ioredis";
import { Loader, RedisCache } from "layered-loader";

const redis = new Redis({ path: "socket" });
const twice = async (label, caches) => {
  const loader = new Loader({ ...caches, dataSourceGetOneFn: async () => null, dataSourceGetManyFn: async () => [] });
  const values = [await loader.get("nobody"), await loader.get("nobody")];
  console.log(`${label}: ${values.map((value) => JSON.stringify(value)).join(" ")}`);
};
await twice("memory", { inMemoryCache: { ttlInMsecs: 600_000, maxItems: 10 } });
await twice("redis, json: true", { asyncCache: new RedisCache(redis, { ttlInMsecs: 600_000, json: true }) });
redis.disconnect();
JS
timeout 60 node null.mjs > seen.txt
cat > expected.txt <<'TXT'
memory: null null
redis, json: true: null ""
TXT
cat seen.txt
diff expected.txt seen.txt
