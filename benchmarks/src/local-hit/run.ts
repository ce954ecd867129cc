import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Cacheme, memory, Node, type NodeMeta } from "cacheme";
import { interleaved, processorTime } from "../interleaved.js";

/**
 * Measures a local hit: `await get(new ItemNode(id))` with everything on (new node, class guard,
 * ttl, policy, statistics), as a ratio to `await map.get(key)` with the same key. Both run in turn
 * in one process. Each row has its own process, because V8's optimisations for another row must not
 * count.
 *
 * There are two kinds of keys: strings that are built for each read, and short integers as strings.
 * V8 keeps the latter with their hash in a table, which is best for a Map. There are two bases: the
 * key built in place, and by a node's `key()`.
 */

interface Value {
  readonly id: number;
}

abstract class Item extends Node<Value> {
  readonly id: number;
  constructor(id: number) {
    super();
    this.id = id;
  }
  override load() {
    return { id: this.id };
  }
}

type ItemClass = new (id: number) => Node<Value>;

/** One kind of key, built in place and by the nodes of several similar classes. */
interface KeyForm {
  readonly toKey: (id: number) => string;
  readonly classes: (count: number, ttl: "1h" | undefined) => ItemClass[];
}

const keyForms: Record<string, KeyForm> = {
  "text keys": {
    toKey: (id) => `item-${id}`,
    classes: (count, ttl) =>
      Array.from({ length: count }, (_, index) => {
        return class extends Item {
          static override meta: NodeMeta = metaOf(index, ttl);
          key() {
            return `item-${this.id}`;
          }
        };
      }),
  },
  "integer keys": {
    toKey: (id) => `${id}`,
    classes: (count, ttl) =>
      Array.from({ length: count }, (_, index) => {
        return class extends Item {
          static override meta: NodeMeta = metaOf(index, ttl);
          key() {
            return `${this.id}`;
          }
        };
      }),
  },
};

function metaOf(index: number, ttl: "1h" | undefined): NodeMeta {
  return { name: `item-${index}`, caches: [{ storage: "local", ttl }] };
}

const readsPerRound = 100_000;

/** The ids are large, so that integer keys have seven digits. */
const firstId = 1_000_000;

interface Ratios {
  /** The ratio to a Map with a key that is built in place. */
  readonly bare: number;
  /** The ratio to a Map with a node's key. */
  readonly byNode: number;
}

async function measure(
  { toKey, classes: makeClasses }: KeyForm,
  classes: number,
  keys: number,
  ttl: "1h" | undefined,
): Promise<Ratios> {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory({ maxSize: keys * 2 }));
  const nodeClasses = makeClasses(classes, ttl);
  const nodeOf = (id: number) => new (nodeClasses[id % classes] as ItemClass)(firstId + id); // The index is in range.
  const map = new Map<string, Value>();
  for (let id = 0; id < keys; id++) {
    await cacheme.get(nodeOf(id));
    map.set(toKey(firstId + id), { id });
  }
  const indexOf = (read: number) => (read * 7919) % keys;
  let sum = 0;
  const bare = async () => {
    for (let read = 0; read < readsPerRound; read++)
      sum += (await map.get(toKey(firstId + indexOf(read))))?.id ?? 0;
  };
  const byNode = async () => {
    for (let read = 0; read < readsPerRound; read++)
      sum += (await map.get(nodeOf(indexOf(read)).key()))?.id ?? 0;
  };
  const ours = async () => {
    for (let read = 0; read < readsPerRound; read++) sum += (await cacheme.get(nodeOf(indexOf(read)))).id;
  };
  const [byNodeRatio = Number.NaN, oursRatio = Number.NaN] = await interleaved(
    [bare, byNode, ours],
    processorTime,
    {
      rounds: 21,
    },
  );
  await cacheme.close();
  if (sum === 0) throw new Error("Expected values, read none.");
  return { bare: oursRatio, byNode: oursRatio / byNodeRatio };
}

const sizes = [
  [1, 1_000],
  [1, 10_000],
  [1, 100_000],
  [4, 1_000],
  [50, 1_000],
  [50, 10_000],
] as const;

function measuredApart(form: string, classes: number, keys: number, ttl: "1h" | "none"): Ratios {
  const row = [form, String(classes), String(keys), ttl];
  const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), ...row], {
    encoding: "utf8",
  });
  return JSON.parse(output) as Ratios; // The same program writes it below.
}

function printTable(): void {
  console.log(
    "await get(node), as a ratio to await map.get(key) with the key built on the spot (by a node's key())\n",
  );
  console.log(`${"".padEnd(40)}   with a ttl     without`);
  for (const form of Object.keys(keyForms)) {
    for (const [classes, keys] of sizes) {
      const what = `${form}, ${classes} ${classes === 1 ? "class" : "classes"}, ${keys.toLocaleString("en")} keys`;
      const cells = (["1h", "none"] as const).map((ttl) => {
        const { bare, byNode } = measuredApart(form, classes, keys, ttl);
        return `${bare.toFixed(2)} (${byNode.toFixed(2)})`;
      });
      console.log(`${what.padEnd(40)}   ${cells.join("   ")}`);
    }
  }
}

const [form = "", classes, keys, ttl] = process.argv.slice(2);
const keyForm = keyForms[form];
if (keyForm === undefined) printTable();
else {
  const ratios = await measure(keyForm, Number(classes), Number(keys), ttl === "1h" ? ttl : undefined);
  console.log(JSON.stringify(ratios));
}
