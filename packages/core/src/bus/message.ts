import { Buffer } from "node:buffer";
import type { Generation } from "../storage/generations.js";

/** The news for one class: some of its keys, or `"all"`. */
export interface ClassNews {
  readonly busId: string;
  readonly keys: readonly string[] | "all";
}

/** The new generation of one tag. */
export interface TagMessage {
  readonly tag: string;
  /** The name of the storage that has made it, or `undefined` if no storage has it. */
  readonly storage: string | undefined;
  readonly generation: Generation;
}

/**
 * The kind of a message: news, a heartbeat, the first message after a subscription, which each other
 * process answers by a heartbeat, or the last message of a process.
 */
export type MessageKind = "news" | "beat" | "hello" | "leave";

/** A message of the current format. */
export interface Message {
  /** The space's prefix, escaped. */
  readonly prefix: string;
  /** The random id of the sender. */
  readonly origin: string;
  readonly kind: MessageKind;
  /**
   * The number of a message with news, counted from 1 for each sender. In another message, the
   * number of the sender's last news.
   */
  readonly sequence: number;
  readonly classes: readonly ClassNews[];
  readonly tags: readonly TagMessage[];
}

const mark = "cacheme";

/** The version of the format. A receiver of an older release drops everything for a newer one. */
const format = 1;

/** Makes messages of one sender. */
export class MessageWriter {
  readonly #prefix: string;
  readonly #origin: string;
  #sequence = 0;

  constructor(prefix: string, origin: string) {
    this.#prefix = prefix;
    this.#origin = origin;
  }

  /** Counts a message that is not sent, so that receivers notice the gap. */
  skip(): void {
    this.#sequence += 1;
  }

  /** Returns a message without news. */
  plain(kind: Exclude<MessageKind, "news">): string {
    return `${this.#head(kind)}[],[]]`;
  }

  /**
   * Returns the news in as many messages as their length needs. A class with a key that fits into
   * no message is announced as a whole.
   *
   * @param longest the most bytes of one message
   */
  news(classes: Iterable<ClassNews>, tags: Iterable<TagMessage>, longest: number): string[] {
    const parts = new Parts(longest, () => {
      this.#sequence += 1;
      return this.#head("news");
    });
    for (const { busId, keys } of classes) parts.addClass(busId, keys);
    for (const { tag, storage, generation } of tags) {
      parts.addTag(JSON.stringify([tag, storage ?? 0, generation.id, generation.at]));
    }
    return parts.finish();
  }

  #head(kind: MessageKind): string {
    const head = JSON.stringify([mark, format, this.#prefix, this.#origin, kind, this.#sequence]);
    return `${head.slice(0, -1)},`;
  }
}

/** Gathers news into messages of a bounded length. */
class Parts {
  readonly #longest: number;
  readonly #begin: () => string;
  readonly #messages: string[] = [];
  #head = "";
  #classes = "";
  #tags = "";
  #bytes = 0;

  constructor(longest: number, begin: () => string) {
    this.#longest = longest;
    this.#begin = begin;
  }

  addClass(busId: string, keys: readonly string[] | "all"): void {
    const all = `[${JSON.stringify(busId)},0]`;
    if (keys === "all") {
      this.#addTo("classes", all);
      return;
    }
    const opening = `[${JSON.stringify(busId)},1`;
    const roomAtFirst = this.#longest - headRoom - Buffer.byteLength(opening);
    let list = "";
    let bytes = 0;
    for (const key of keys) {
      const text = `,${JSON.stringify(key)}`;
      const added = Buffer.byteLength(text);
      if (added > roomAtFirst) {
        this.#addTo("classes", all);
        return;
      }
      if (bytes + added > roomAtFirst) {
        this.#addTo("classes", `${opening}${list}]`);
        list = "";
        bytes = 0;
      }
      list += text;
      bytes += added;
    }
    if (list !== "") this.#addTo("classes", `${opening}${list}]`);
  }

  addTag(text: string): void {
    this.#addTo("tags", text);
  }

  finish(): string[] {
    if (this.#bytes > 0) this.#end();
    return this.#messages;
  }

  #addTo(part: "classes" | "tags", text: string): void {
    const added = Buffer.byteLength(text) + 1;
    if (this.#bytes > 0 && this.#bytes + added > this.#longest) this.#end();
    if (this.#bytes === 0) {
      this.#head = this.#begin();
      this.#bytes = Buffer.byteLength(this.#head) + closing;
    }
    this.#bytes += added;
    if (part === "classes") this.#classes += `${this.#classes === "" ? "" : ","}${text}`;
    else this.#tags += `${this.#tags === "" ? "" : ","}${text}`;
  }

  #end(): void {
    this.#messages.push(`${this.#head}[${this.#classes}],[${this.#tags}]]`);
    this.#classes = "";
    this.#tags = "";
    this.#bytes = 0;
  }
}

/** The bytes of the brackets and the comma behind a head. */
const closing = "[],[]]".length;

/** The room for a head with a prefix of 60 bytes, each escaped, and for the closing brackets. */
const headRoom = 500;

/**
 * Reads a message. The answer is `"newer"` for a message of a newer format, whose content is not
 * known, and `undefined` for a text that is no message of Cacheme.
 */
export function readMessage(text: string): Message | "newer" | undefined {
  if (!text.startsWith(`["${mark}",`)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  const [, version, prefix, origin, kind, sequence, classes, tags]: unknown[] = parsed;
  if (version !== format) return typeof version === "number" ? "newer" : undefined;
  const isMessage =
    typeof prefix === "string" &&
    typeof origin === "string" &&
    isKind(kind) &&
    typeof sequence === "number" &&
    Number.isSafeInteger(sequence) &&
    Array.isArray(classes) &&
    Array.isArray(tags);
  if (!isMessage) return undefined;
  const news = classes.map(classNews);
  const generations = tags.map(tagMessage);
  if (news.includes(undefined) || generations.includes(undefined)) return undefined;
  return {
    prefix,
    origin,
    kind,
    sequence,
    classes: news.filter((one) => one !== undefined),
    tags: generations.filter((one) => one !== undefined),
  };
}

function isKind(kind: unknown): kind is MessageKind {
  return kind === "news" || kind === "beat" || kind === "hello" || kind === "leave";
}

function classNews(given: unknown): ClassNews | undefined {
  if (!Array.isArray(given)) return undefined;
  const [busId, some, ...keys]: unknown[] = given;
  if (typeof busId !== "string") return undefined;
  if (some === 0) return { busId, keys: "all" };
  return some === 1 && keys.every((key) => typeof key === "string") ? { busId, keys } : undefined;
}

function tagMessage(given: unknown): TagMessage | undefined {
  if (!Array.isArray(given)) return undefined;
  const [tag, storage, id, at]: unknown[] = given;
  if (typeof tag !== "string" || typeof id !== "string" || typeof at !== "number") return undefined;
  if (storage !== 0 && typeof storage !== "string") return undefined;
  return { tag, storage: storage === 0 ? undefined : storage, generation: { id, at } };
}
