import { Cacheme, memory, Node, type NodeMeta } from "cacheme";

/**
 * One run of a program that keeps its memory in a file.
 *
 * @param file the path
 * @param ending `close`, `exit` without it, or `kill` after a save and an invalidation
 */
const [file = "", ending = "close", count = "10"] = process.argv.slice(2);

let loads = 0;

class User extends Node<{ readonly id: number; readonly name: string }> {
  static override meta: NodeMeta = { name: "user", caches: [{ storage: "local", ttl: "1h" }] };
  readonly id: number;
  constructor(id: number) {
    super();
    this.id = id;
  }
  key() {
    return `${this.id}`;
  }
  override load() {
    loads++;
    return { id: this.id, name: `user ${this.id}` };
  }
}

const cacheme = new Cacheme();
const local = memory({ maxSize: 200_000, snapshot: file });
const before = performance.now();
let longestTurn = 0;
let turn = before;
const watch = setInterval(() => {
  longestTurn = Math.max(longestTurn, performance.now() - turn);
  turn = performance.now();
}, 1);
await cacheme.registerStorage("local", local);
clearInterval(watch);
const started = performance.now() - before;
const ids = Array.from({ length: Number(count) }, (_, id) => id);
for (const id of ids) await cacheme.get(new User(id));
const loaded = loads;
if (ending === "kill") {
  await local.saveSnapshot();
  await cacheme.invalidate(new User(3));
}
if (ending === "close") await cacheme.close();
process.stdout.write(
  `${JSON.stringify({ loads: loaded, started: Math.round(started), longestTurn: Math.round(longestTurn) })}\n`,
  () => {
    if (ending === "kill") process.kill(process.pid, "SIGKILL");
    else process.exitCode = 0;
  },
);
