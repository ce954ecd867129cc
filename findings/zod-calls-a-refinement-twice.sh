#!/usr/bin/env bash
# zod 4.6.7, Node 20.20.2 (2026-12-01)
#
# Guess: the Standard Schema `validate` of a schema with an asynchronous refinement calls the refinement once for each
# value. A refinement that asks a database costs one query.
# What happens: `validate` first tries to answer synchronously, and calls the refinement for that. It drops the promise of
# that attempt, and calls the refinement again, for the answer.
#
# Output:
#   valid: text
#   the refinement was called 2 times
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true, "type": "module" }' > package.json
timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts zod@4.6.7

cat > see.js <<'JS'
import { z } from "zod";

let calls = 0;
const schema = z.string().refine(async () => {
  calls += 1;
  return true;
});
const { value } = await schema["~standard"].validate("text");
console.log(`valid: ${value}`);
console.log(`the refinement was called ${calls} times`);
JS
node see.js > seen.txt

cat > expected.txt <<'TXT'
valid: text
the refinement was called 2 times
TXT
cat seen.txt
diff expected.txt seen.txt
