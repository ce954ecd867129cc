import assert from "node:assert/strict";
import { defineNode, type Memoized, memoize, memoizeSync, Node } from "cacheme";

interface Docs {
  readonly page: { readonly title: string };
  readonly image: { readonly width: number };
}

const docs: Docs = { page: { title: "Home" }, image: { width: 3 } };

class DocNode<K extends keyof Docs> extends Node<Docs[K]> {
  constructor(
    readonly kind: K,
    readonly id: number,
  ) {
    super();
  }

  key() {
    return `${this.kind}/${this.id}`;
  }
}

const textNode = defineNode({ name: "text", key: (text: string) => text });

async function loadDoc<K extends keyof Docs>(kind: K, _id: number): Promise<Docs[K]> {
  return docs[kind];
}

/** Keeps a type parameter if the node's type follows from it. */
export const findDoc = memoize(loadDoc, (kind, id) => new DocNode(kind, id));
const page: { readonly title: string } = await findDoc("page", 1);
const image: { readonly width: number } = await findDoc("image", 1);
assert.deepEqual([page.title, image.width], ["Home", 3]);
// @ts-expect-error there is no such kind
void findDoc("film", 1).catch(() => {});

/** Keeps an optional and a default parameter. */
export const paged = memoize(
  async (page = 1, size?: number) => page * (size ?? 10),
  (page = 1) => textNode(`paged ${page}`),
);
const ten: number = await paged();
assert.deepEqual([ten, await paged(2, 5)], [10, 10]);
// @ts-expect-error the page is a number
void paged("1").catch(() => {});

function sized(side: number): Promise<number>;
function sized(width: string, height: string): Promise<string>;
async function sized(...sides: (number | string)[]): Promise<number | string> {
  return sides.length === 1 ? Number(sides[0]) ** 2 : sides.join("x");
}

/** Keeps every overload, and `toNode` may take fewer parameters than an overload has. */
export const sizes: Memoized<typeof sized, ReturnType<typeof textNode>> = memoize(sized, (side) =>
  textNode(`sized ${typeof side} ${side}`),
);
const area: number = await sizes(3);
const label: string = await sizes("3", "4");
assert.deepEqual([area, label, await sizes.refresh(4)], [9, "3x4", 16]);
await sizes.invalidate("3", "4");
// @ts-expect-error the height is missing
void sizes("3").catch(() => {});
// @ts-expect-error the first parameter may be a number
memoize(sized, (side: string) => textNode(side));

/** Answers without promises. */
export const wrapped = memoizeSync(
  <T extends string>(text: T) => ({ text }),
  (text) => textNode(`wrapped ${text}`),
);
const { text }: { text: "a" } = wrapped("a");
assert.equal(text, "a");

/** A function whose result type changes keeps its overloads. */
function parsed(text: string): number;
function parsed(text: string, radix: number): bigint;
function parsed(text: string, radix?: number): number | bigint {
  return radix === undefined ? Number(text) : BigInt(text);
}
const parse = memoize(parsed, (text, radix) => textNode(`parsed ${text} ${radix}`));
const [small, large]: [number, bigint] = [await parse("1"), await parse("1", 10)];
assert.deepEqual([small, large], [1, 1n]);

const byEither = async (_id: number | string) => 1;
// @ts-expect-error toNode takes a number alone
memoize(byEither, (id: number) => textNode(`${id}`));
