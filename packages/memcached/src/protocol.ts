/**
 * The meta commands of memcached, from its `doc/protocol.txt`: what is sent is a line, behind a write's line its bytes;
 * each command here is answered by one line, `VA` with bytes behind it, in the order of the commands.
 */

/** Bytes from which a value is handed to the socket as it is: a copy would cost more than a write of its own. */
const copiedBelow = 16_384;

/** Commands that are sent in one go, and how many answers they have. */
export class Batch {
  /** Answers that are to come. */
  commands = 0;
  /** What came before {@link #text}; empty as long as there is nothing but text. */
  readonly #parts: (string | Uint8Array)[] = [];
  #text = "";

  /** @param line without its end. Everything in it is ASCII */
  command(line: string): void {
    this.commands++;
    this.#text += `${line}\r\n`;
  }

  /** `ms`: stores the bytes, which are the pieces one after another. */
  store(name: string, flags: string, pieces: readonly Uint8Array[]): void {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    this.commands++;
    this.#parts.push(`${this.#text}ms ${name} ${length} ${flags}\r\n`, ...pieces);
    this.#text = "\r\n";
  }

  /** What to hand to the socket: texts in latin1, which is one byte a character, and bytes. */
  chunks(): readonly (string | Uint8Array)[] {
    return this.#parts.length === 0 ? [this.#text] : joined([...this.#parts, this.#text]);
  }
}

/** Small parts become one buffer: a socket's write costs more than a copy. */
function joined(parts: readonly (string | Uint8Array)[]): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let start = 0;
  let length = 0;
  const join = (end: number): void => {
    if (end > start) chunks.push(copied(parts, start, end, length));
    start = end + 1;
    length = 0;
  };
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] ?? "";
    if (typeof part === "string" || part.length < copiedBelow) {
      length += part.length;
    } else {
      join(index);
      chunks.push(part);
    }
  }
  join(parts.length);
  return chunks;
}

function copied(
  parts: readonly (string | Uint8Array)[],
  start: number,
  end: number,
  length: number,
): Uint8Array {
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (let index = start; index < end; index++) {
    const part = parts[index] ?? "";
    if (typeof part === "string") whole.write(part, at, "latin1");
    else whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What the server has answered to one command. */
export class Answer {
  /**
   * The two letters of a meta command's answer: `VA` with a value, `HD` done, `EN` a miss, `NF` not found, `EX` another
   * CAS than was given, `NS` not stored, `MN` for `mn`; the whole line where it is none of these.
   */
  readonly code: string;
  bytes: Buffer | undefined = undefined;
  /** `f`: what was given with `F` when the item was stored. */
  flags = 0;
  /** `t`: seconds that the item is kept from now on, at least 1; -1 where it is kept for ever. */
  left = -1;
  /** `O`: the number that was sent with the command. */
  opaque = -1;
  /** `c`: a number of up to 64 bits that no two versions of an item share. */
  cas = "";
  /** `W`: the item was not there, and this command has made it. */
  won = false;

  constructor(code: string) {
    this.code = code;
  }
}

/** The server has said what is not in its protocol. What follows cannot be understood either. */
export class ProtocolError extends Error {}

/** Longer lines are not the server's. The longest that it sends names a key of 250 bytes, or is one of its settings. */
const longestLine = 16_384;
const longestValue = 2 ** 30;
const [cr, lf, space, zero, nine] = [13, 10, 32, 48, 57];

/** A piece of at most so many bytes may be kept alive by one value in it, as Node's own pool of buffers is. */
const keptWhole = 8192;

/**
 * Takes the server's bytes in pieces of any size, and hands on each answer when it is whole. A value is a view of a small
 * piece, or of one that is hardly larger than itself, and else a copy: no small one keeps a large piece alive.
 */
export class AnswerParser {
  readonly #onAnswer: (answer: Answer) => void;
  /** The beginning of a line whose end has not come. */
  #line: Buffer | undefined;
  /** An answer whose value has not come as a whole. */
  #answer: Answer | undefined;
  /** That value and the end of its line. */
  #value: Buffer = Buffer.alloc(0);
  #filled = 0;

  constructor(onAnswer: (answer: Answer) => void) {
    this.#onAnswer = onAnswer;
  }

  /** @throws ProtocolError after which the parser is of no more use */
  push(piece: Buffer): void {
    let chunk = piece;
    if (this.#line !== undefined) {
      chunk = Buffer.concat([this.#line, piece]);
      this.#line = undefined;
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#answer !== undefined) {
        at = this.#goOn(chunk, at, this.#answer);
        continue;
      }
      const end = chunk.indexOf(lf, at);
      if (end === -1) {
        this.#keep(chunk.subarray(at));
        return;
      }
      const lineEnd = chunk[end - 1] === cr ? end - 1 : end;
      const answer = answerOf(chunk, at, lineEnd);
      const size = answer.code === "VA" ? sizeOf(chunk, at + 3, lineEnd) : none;
      at = end + 1;
      if (size === none) this.#onAnswer(answer);
      else at = this.#begin(chunk, at, answer, size);
    }
  }

  #keep(rest: Buffer): void {
    if (rest.length > longestLine) throw new ProtocolError("the server sent a line without an end");
    // A copy: the rest may be a few bytes of a large piece.
    this.#line = Buffer.from(rest);
  }

  #begin(chunk: Buffer, at: number, answer: Answer, size: number): number {
    const end = at + size;
    if (end + 2 <= chunk.length) {
      const view = chunk.subarray(at, end);
      const mayView = chunk.length <= keptWhole || 2 * size >= chunk.length;
      this.#end(answer, mayView ? view : Buffer.from(view), chunk, end);
      return end + 2;
    }
    this.#answer = answer;
    this.#value = Buffer.allocUnsafe(size + 2);
    this.#filled = 0;
    return at;
  }

  #goOn(chunk: Buffer, at: number, answer: Answer): number {
    const value = this.#value;
    const copied = chunk.copy(value, this.#filled, at);
    this.#filled += copied;
    if (this.#filled === value.length) {
      this.#answer = undefined;
      this.#value = Buffer.alloc(0);
      this.#end(answer, value.subarray(0, -2), value, value.length - 2);
    }
    return at + copied;
  }

  #end(answer: Answer, bytes: Buffer, chunk: Buffer, end: number): void {
    if (chunk[end] !== cr || chunk[end + 1] !== lf) {
      throw new ProtocolError("the server sent a value that is longer than it had said");
    }
    answer.bytes = bytes;
    this.#onAnswer(answer);
  }
}

/** Codes by their two letters, so that no text is made for the usual answers. */
const codes = new Map(
  ["VA", "HD", "EN", "NF", "EX", "NS", "MN"].map((code) => [
    code.charCodeAt(0) * 256 + code.charCodeAt(1),
    code,
  ]),
);

/**
 * The answer in one line, without its value.
 *
 * @param end the place behind the line's last character
 */
function answerOf(chunk: Buffer, start: number, end: number): Answer {
  const isShort = start + 2 === end || (start + 2 < end && chunk[start + 2] === space);
  const code = isShort ? codes.get((chunk[start] ?? 0) * 256 + (chunk[start + 1] ?? 0)) : undefined;
  if (code === undefined) return new Answer(chunk.toString("latin1", start, end));
  const answer = new Answer(code);
  readFlags(answer, chunk, code === "VA" ? start + 3 : start + 2, end);
  return answer;
}

function sizeOf(chunk: Buffer, start: number, end: number): number {
  const size = numberAt(chunk, start, end);
  if (size >= 0 && size <= longestValue) return size;
  throw new ProtocolError("the server sent a value without its length");
}

/** Flags stand behind a space each; what is not asked for here is passed over. */
function readFlags(answer: Answer, chunk: Buffer, start: number, end: number): void {
  for (let at = spaceFrom(chunk, start, end); at < end; at = spaceFrom(chunk, at + 1, end)) {
    switch (chunk[at + 1]) {
      case 0x66: // f
        answer.flags = numberAt(chunk, at + 2, end);
        break;
      case 0x74: // t
        answer.left = numberAt(chunk, at + 2, end);
        break;
      case 0x4f: // O
        answer.opaque = numberAt(chunk, at + 2, end);
        break;
      case 0x63: // c
        answer.cas = chunk.toString("latin1", at + 2, spaceFrom(chunk, at + 2, end));
        break;
      case 0x57: // W
        answer.won = true;
        break;
    }
  }
}

/** The place of the next space in the line, or the line's end. `indexOf` would go on into the values behind it. */
function spaceFrom(chunk: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && chunk[at] !== space) at++;
  return at;
}

const none = -1;

/** The number that ends at a space or at the line's end; -1 where there is none. */
function numberAt(chunk: Buffer, start: number, end: number): number {
  let number = 0;
  let at = start;
  for (; at < end; at++) {
    const digit = chunk[at] ?? 0;
    if (digit < zero || digit > nine) break;
    number = number * 10 + (digit - zero);
  }
  return at === start ? none : number;
}
