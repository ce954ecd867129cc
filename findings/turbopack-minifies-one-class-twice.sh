#!/usr/bin/env bash
# next 16.4.6 (Turbopack, production build), react and react-dom 19.3.1, Node 20.20.2 (2026-11-30)
#
# Guess: a page and a route handler of one build see one text of a class that both import.
# What happens: Turbopack bundles the module once for each of the two and chooses the minified names for each. So
# Function.prototype.toString of one class differs within one process. The names depend on the bundle; the check is that
# they differ and that the rest is equal.
#
# Output:
#   page:  class c{static table=new Map;load(a){return c.table.get(a)??2*a}}
#   route: class t{static table=new Map;load(e){return t.table.get(e)??2*e}}
set -euo pipefail
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server"; } 2> /dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
export NEXT_TELEMETRY_DISABLED=1

echo '{ "private": true, "type": "module" }' > package.json
timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts next@16.4.6 react@19.3.1 react-dom@19.3.1

mkdir -p app/api lib
echo 'export default ({ children }) => <html><body>{children}</body></html>;' > app/layout.js
cat > lib/thing.js <<'JS'
const double = (value) => value * 2;
export class Thing {
  static table = new Map();
  load(id) {
    return Thing.table.get(id) ?? double(id);
  }
}
JS
hex='Buffer.from(String(Thing)).toString("hex")'
head='export const dynamic = "force-dynamic"; import { Thing } from'
echo "$head '../lib/thing.js'; export default () => <pre>{$hex}</pre>;" > app/page.js
echo "$head '../../lib/thing.js'; export const GET = () => new Response($hex);" > app/api/route.js
timeout 120 npx next build > log.txt 2>&1 || { cat log.txt >&2; exit 1; }

timeout 60 node node_modules/next/dist/bin/next start -H 127.0.0.1 -p 0 > log.txt 2>&1 &
server=$!
for _ in $(seq 200); do grep -q "Ready" log.txt && break; sleep 0.1; done
cat > compare.mjs <<'JS'
const base = process.argv[2];
const read = async (path) => (await (await fetch(base + path)).text()).replace(/^.*<pre>|<\/pre>.*$/gs, "");
const [page, route] = (await Promise.all([read("/"), read("/api")])).map((hex) => `${Buffer.from(hex, "hex")}`);
console.log(`page:  ${page}\nroute: ${route}`);
const shape = (text) => text.replaceAll(/\b[A-Za-z_$]{1,2}\b/g, "_");
const isSame = shape(page) === shape(route) && page.startsWith("class ");
if (page === route || !isSame) {
  console.error("expected two texts of one class that differ in names only");
  process.exit(1);
}
JS
timeout 30 node compare.mjs "$(grep -o 'http://127.0.0.1:[0-9]*' log.txt | head -n 1)"
