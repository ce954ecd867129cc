#!/usr/bin/env bash
# arktype 2.2.10, Node 20.20.2 (2026-12-01)
#
# Guess: an issue's path is a list, as Standard Schema says, so `map` of an empty path is an empty list.
# What happens: the path is an array of a class of ArkType. `map` calls its constructor with the length, which the
# constructor takes for the first step. Only a path of no step shows it: the place of an issue of the whole value is [0].
#
# Output:
#   the whole value: path [], mapped [0]
#   a property: path ["name"], mapped ["name"]
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true, "type": "module" }' > package.json
timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts arktype@2.2.10

cat > see.js <<'JS'
import { type } from "arktype";

const schema = type({ name: "string" })["~standard"];
const see = (subject, value) => {
  const [{ path }] = schema.validate(value).issues;
  const mapped = path.map((step) => step);
  console.log(`${subject}: path ${JSON.stringify([...path])}, mapped ${JSON.stringify([...mapped])}`);
};
see("the whole value", 7);
see("a property", { name: 7 });
JS
node see.js > seen.txt

cat > expected.txt <<'TXT'
the whole value: path [], mapped [0]
a property: path ["name"], mapped ["name"]
TXT
cat seen.txt
diff expected.txt seen.txt
