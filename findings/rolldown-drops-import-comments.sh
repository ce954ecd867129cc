#!/usr/bin/env bash
# rolldown 1.3.3, Node 20.20.2 (2026-11-30)
#
# Guess: a comment such as webpackIgnore in an import() stays in the output, because the output may be bundled again.
# What happens: Rolldown moves a conditional out of import(), also without minification, and drops the comment of both
# halves. In an import() without a conditional the comment stays.
#
# Output (each import of the bundle, spaces removed):
#   import(/*webpackIgnore:true*/x)
#   import("./a.mjs")
#   import("./b.mjs")
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

echo '{ "private": true }' > package.json
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts rolldown@1.3.3

cat > entry.mjs <<'JS'
export const one = (x) => import(/* webpackIgnore: true */ x);
export const either = (flag) => import(/* webpackIgnore: true */ flag ? "./a.mjs" : "./b.mjs");
JS
cat > bundle.mjs <<'JS'
import { rolldown } from "rolldown";

const bundle = await rolldown({ input: "entry.mjs", external: ["./a.mjs", "./b.mjs"], logLevel: "silent" });
const { output } = await bundle.generate({ minify: false });
await bundle.close();
console.log(output[0].code.replaceAll(/\s/g, "").match(/import\([^)]*\)/g).join("\n"));
JS
timeout 60 node bundle.mjs > seen.txt
cat > expected.txt <<'TXT'
import(/*webpackIgnore:true*/x)
import("./a.mjs")
import("./b.mjs")
TXT
cat seen.txt
diff expected.txt seen.txt
