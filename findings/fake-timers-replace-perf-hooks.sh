#!/usr/bin/env bash
# @sinonjs/fake-timers 15.5.0, Node 20.20.2 (2026-11-30)
#
# Guess: install() replaces the global `performance`. A module that imported `performance` from node:perf_hooks before
# install() keeps the real clock.
# What happens: install() replaces `now` on the object itself, and node:perf_hooks exports that object. Only a reference to
# the function, taken before, stays real.
#
# Output:
#   performance.now() of node:perf_hooks: 0, after tick(500): 500
#   the function taken before is real: true
#   after uninstall() the function is the one of before: true
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts @sinonjs/fake-timers@15.5.0

cat > clock.mjs <<'JS'
import { performance } from "node:perf_hooks";
import fakeTimers from "@sinonjs/fake-timers";

const realNow = performance.now;
const started = realNow.call(performance);
const clock = fakeTimers.install();
const before = performance.now();
clock.tick(500);
console.log(`performance.now() of node:perf_hooks: ${before}, after tick(500): ${performance.now()}`);
const passed = realNow.call(performance) - started;
console.log(`the function taken before is real: ${started > 0 && passed > 0}`);
clock.uninstall();
console.log(`after uninstall() the function is the one of before: ${performance.now === realNow}`);
JS
timeout 60 node clock.mjs > seen.txt
cat > expected.txt <<'TXT'
performance.now() of node:perf_hooks: 0, after tick(500): 500
the function taken before is real: true
after uninstall() the function is the one of before: true
TXT
cat seen.txt
diff expected.txt seen.txt
