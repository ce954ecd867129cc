#!/usr/bin/env bash
# zod 4.6.7, Node 20.20.2 (2026-12-01)
#
# Guess: the Standard Schema `validate` of a schema with an asynchronous refinement returns one promise. If the refinement
# rejects, that promise rejects, and its caller handles it.
# What happens: `validate` first tries to answer synchronously. It drops the promise of that attempt, and calls the
# refinement again. The first call's rejection is unhandled, which ends a program by default.
#
# Output:
#   handled: no database
#   unhandled: no database
#   the refinement was called 2 times
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true, "type": "module" }' > package.json
timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts zod@4.6.7

cat > see.js <<'JS'
import { z } from "zod";

const seen = [];
let calls = 0;
process.on("unhandledRejection", (error) => seen.push(`unhandled: ${error.message}`));
const schema = z.string().refine(async () => {
  calls += 1;
  throw new Error("no database");
});
await Promise.resolve(schema["~standard"].validate("text")).catch((error) => seen.push(`handled: ${error.message}`));
await new Promise((resolve) => setImmediate(resolve));
console.log(seen.toSorted().join("\n"));
console.log(`the refinement was called ${calls} times`);
JS
node see.js > seen.txt

cat > expected.txt <<'TXT'
handled: no database
unhandled: no database
the refinement was called 2 times
TXT
cat seen.txt
diff expected.txt seen.txt
