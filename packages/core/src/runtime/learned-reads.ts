import type { Node } from "../node/node.js";

/** A node that may be read next. */
export interface Suggestion<N extends Node = Node> {
  readonly node: N;
  /** The share of the reads after which it came next, from 0 to 1. Newer reads count more. */
  readonly probability: number;
}

/** A read in a sequence. */
export interface LearnedRead {
  readonly table: LearnedReads;
  /** The string that tells the node from those of all classes. */
  readonly id: string;
  readonly node: Node;
  readonly key: string;
}

/** The most nodes that are kept for one row. */
const mostNext = 8;

/** The number of reads after which a row halves its counts, so that it follows what changes. */
const halveAt = 64;

/** The least number of reads after a node before its next ones are loaded in advance. */
const leastReads = 3;

interface Next {
  readonly node: Node;
  count: number;
}

interface Row {
  total: number;
  readonly next: Map<string, Next>;
}

/** The nodes that were read after each node of a kind: a first-order table of bounded size. */
export class LearnedReads {
  readonly #size: number;
  /** By the key of the earlier node, the least recently read first. */
  readonly #rows = new Map<string, Row>();

  constructor(size: number) {
    this.#size = size;
  }

  /** Records that a node was read after the node of the key. */
  add(key: string, { id, node }: LearnedRead): void {
    const row = this.#rows.get(key) ?? { total: 0, next: new Map<string, Next>() };
    this.#rows.delete(key);
    this.#rows.set(key, row);
    if (this.#rows.size > this.#size) {
      const [oldest] = this.#rows.keys();
      if (oldest !== undefined) this.#rows.delete(oldest);
    }
    const known = row.next.get(id);
    if (known === undefined) {
      if (row.next.size === mostNext) dropRarest(row);
      row.next.set(id, { node, count: 1 });
    } else known.count += 1;
    row.total += 1;
    if (row.total >= halveAt) halve(row);
  }

  /** Returns the nodes that were read after the node of the key, the likeliest first. */
  after(key: string): Suggestion[] {
    const row = this.#rows.get(key);
    if (row === undefined) return [];
    return Array.from(row.next.values(), ({ node, count }) => ({
      node,
      probability: count / row.total,
    })).toSorted((a, b) => b.probability - a.probability);
  }

  /** Returns those of at least this probability, once enough reads have been seen. */
  likelyAfter(key: string, probability: number): Node[] {
    const row = this.#rows.get(key);
    if (row === undefined || row.total < leastReads) return [];
    const likely: Node[] = [];
    for (const { node, count } of row.next.values()) if (count >= probability * row.total) likely.push(node);
    return likely;
  }
}

function dropRarest({ next }: Row): void {
  let rarest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [id, { count }] of next) {
    if (count >= least) continue;
    rarest = id;
    least = count;
  }
  if (rarest !== undefined) next.delete(rarest);
}

function halve(row: Row): void {
  row.total /= 2;
  for (const [id, next] of row.next) {
    next.count /= 2;
    if (next.count < 0.5) row.next.delete(id);
  }
}
