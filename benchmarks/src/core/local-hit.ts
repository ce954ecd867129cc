import { Cacheme, memory, Node, type NodeMeta } from "cacheme";
import { interleaved } from "../interleaved.js";

/**
 * What a local hit costs: `await get(new ItemNode(id))`, everything on (node built, class guard, ttl, policy, statistics), as
 * a ratio to `await map.get(key)` with the same key building, interleaved in one process.
 *
 * Two kinds of keys, since a Map is at its best with the second: texts that are built for each read, and short integers as
 * texts, which V8 keeps, hash and all, in a table of its own.
 */

interface Item {
  readonly id: number;
}

type ItemClass = new (id: number) => Node<Item>;

/** Classes that are alike but not the same, as the classes of a program are. */
function itemClasses(count: number, toKey: (id: number) => string, ttl: "1h" | undefined): ItemClass[] {
  return Array.from({ length: count }, (_, index) => {
    class ItemNode extends Node<Item> {
      static override meta: NodeMeta = { name: `item-${index}`, caches: [{ storage: "local", ttl }] };
      readonly id: number;
      constructor(id: number) {
        super();
        this.id = id;
      }
      key() {
        return toKey(this.id);
      }
      override load() {
        return { id: this.id };
      }
    }
    return ItemNode;
  });
}

const keyForms = {
  "text keys": (id: number) => `item-${id}`,
  "integer keys": (id: number) => `${id}`,
};

const readsPerRound = 100_000;

/** The largest id is not small, so that integer keys have seven digits. */
const firstId = 1_000_000;

async function measure(classes: number, keys: number, toKey: (id: number) => string, ttl: "1h" | undefined): Promise<number> {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory({ maxSize: keys * 2 }));
  const nodeClasses = itemClasses(classes, toKey, ttl);
  const nodeOf = (id: number) => new (nodeClasses[id % classes] as ItemClass)(firstId + id); // The index is in range.
  const map = new Map<string, Item>();
  for (let id = 0; id < keys; id++) {
    await cacheme.get(nodeOf(id));
    map.set(toKey(firstId + id), { id });
  }
  let sum = 0;
  const base = async () => {
    for (let read = 0; read < readsPerRound; read++) {
      const item = await map.get(toKey(firstId + ((read * 7919) % keys)));
      sum += item?.id ?? 0;
    }
  };
  const ours = async () => {
    for (let read = 0; read < readsPerRound; read++) sum += (await cacheme.get(nodeOf((read * 7919) % keys))).id;
  };
  const [ratio = Number.NaN] = await interleaved([base, ours], { rounds: 21 });
  await cacheme.close();
  return sum > 0 ? ratio : Number.NaN;
}

const rows = [
  [1, 1_000],
  [1, 10_000],
  [1, 100_000],
  [4, 1_000],
  [50, 1_000],
  [50, 10_000],
] as const;

console.log("await get(node) as a ratio to await map.get(key); with ttl / without ttl");
for (const [form, toKey] of Object.entries(keyForms)) {
  for (const [classes, keys] of rows) {
    const withTtl = await measure(classes, keys, toKey, "1h");
    const without = await measure(classes, keys, toKey, undefined);
    const what = `${form}, ${classes} ${classes === 1 ? "class" : "classes"}, ${keys.toLocaleString("en")} keys`;
    console.log(`${what.padEnd(40)} ${withTtl.toFixed(2)} / ${without.toFixed(2)}`);
  }
}
