#!/usr/bin/env bash
# cockatiel 3.2.1, Node 20.20.2 (2026-12-01)
#
# Guess: half a second after it opened, a breaker with halfOpenAfter: 100 tries again, whatever the clock of the machine shows.
# What happens: the pause is measured by Date.now(). If the clock is set back by an hour meanwhile, the breaker stays open
# for that hour.
#
# Output:
#   clock as it was: the call is made
#   clock set back by an hour: BrokenCircuitError
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts cockatiel@3.2.1

cat > breaker.mjs <<'JS'
import { setTimeout } from "node:timers/promises";
import { circuitBreaker, ConsecutiveBreaker, handleAll } from "cockatiel";

const now = Date.now;
for (const [name, shift] of [["clock as it was", 0], ["clock set back by an hour", 3_600_000]]) {
  Date.now = now;
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: 100, breaker: new ConsecutiveBreaker(1) });
  await breaker.execute(() => Promise.reject(new Error("down"))).catch(() => {});
  await setTimeout(500);
  Date.now = () => now() - shift;
  const outcome = await breaker.execute(() => "the call is made").catch((error) => error.constructor.name);
  console.log(`${name}: ${outcome}`);
}
JS

timeout 60 node breaker.mjs > seen.txt
cat > expected.txt <<'TXT'
clock as it was: the call is made
clock set back by an hour: BrokenCircuitError
TXT
cat seen.txt
diff expected.txt seen.txt
