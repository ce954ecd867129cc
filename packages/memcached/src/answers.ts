/** The server's answer to one command. */
export class Answer {
  /** The two letters of a meta command's answer, such as `VA` or `EN`; the whole line of all others. */
  readonly code: string;
  bytes: Buffer | undefined = undefined;
  /** `f`: the `F` with which the item was stored. */
  flags = 0;
  /** `s`: the bytes of the data. */
  size = 0;
  /** `t`: seconds that the item is kept from now on, at least 1. -1 without an end. */
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

/** The server has broken its protocol. Nothing that follows can be understood. */
export class ProtocolError extends Error {}

/** The longest line that is read. The server's longest names a key of 250 bytes, or a setting. */
const longestLine = 16_384;
const longestValue = 2 ** 30;
const [cr, lf, space, zero, nine] = [13, 10, 32, 48, 57];

/** The longest piece, in bytes, that one value in it may keep alive: as long as Node's own pool. */
const keptWhole = 8192;

/**
 * Reads the server's bytes in pieces of any size, and calls a listener with each whole answer. A
 * value is a view of its piece if the piece is small, or hardly larger than the value. It is a copy
 * otherwise, so that no small value keeps a large piece alive.
 */
export class AnswerParser {
  readonly #onAnswer: (answer: Answer) => void;
  /** The beginning of a line whose end has not come yet. */
  #line: Buffer | undefined;
  /** An answer whose value is not complete yet. */
  #answer: Answer | undefined;
  /** The bytes of the value and the end of its line. */
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

/** Codes by their two letters, so that no string is made for the usual answers. */
const codes = new Map(
  ["VA", "HD", "EN", "NF", "EX", "NS", "MN"].map((code) => [
    code.charCodeAt(0) * 256 + code.charCodeAt(1),
    code,
  ]),
);

/** Reads the answer in one line, up to its end, without its value. */
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

/** Reads the flags, each behind a space, and skips flags that no command here asks for. */
function readFlags(answer: Answer, chunk: Buffer, start: number, end: number): void {
  for (let at = spaceFrom(chunk, start, end); at < end; at = spaceFrom(chunk, at + 1, end)) {
    const flag = chunk[at + 1];
    const value = at + 2;
    // f, s, t, O, c and W.
    if (flag === 0x66) answer.flags = numberAt(chunk, value, end);
    else if (flag === 0x73) answer.size = numberAt(chunk, value, end);
    else if (flag === 0x74) answer.left = numberAt(chunk, value, end);
    else if (flag === 0x4f) answer.opaque = numberAt(chunk, value, end);
    else if (flag === 0x63) answer.cas = chunk.toString("latin1", value, spaceFrom(chunk, value, end));
    else if (flag === 0x57) answer.won = true;
  }
}

/** Finds the next space in the line, or the line's end. `indexOf` would search all values behind. */
function spaceFrom(chunk: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && chunk[at] !== space) at++;
  return at;
}

const none = -1;

/** Reads the number that ends at a space or at the line's end. -1 without a number. */
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
