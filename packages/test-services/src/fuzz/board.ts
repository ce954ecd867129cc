import { closeSync, fstatSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";

/** The most processes of a run. */
export const mostProcesses = 8;

const numberSize = 8;

/** The columns of a record: the source's version, and what each process knows of it. */
const columns = ["version", "acknowledged", "removed", "spread", "heard", "loading"] as const;

/** A column that has a cell for each process. Only that process writes to the cell. */
export type Column = Exclude<(typeof columns)[number], "version">;

/** The number of cells of a record. */
const cells = 1 + (columns.length - 1) * mostProcesses;

/** A cell of the whole board. */
const marks = ["calm", "trouble"] as const;

/** Cells before the records: since when no fault was inflicted, and each process's last trouble. */
const headCells = marks.length * mostProcesses;

/**
 * The knowledge of all processes of a run: the versions of the source, and up to which version
 * invalidations were acknowledged. A file, because a process may read and write it synchronously,
 * and because it outlives a process that is killed. Each cell has one writer, and only grows.
 */
export class Board {
  readonly #file: number;
  readonly #size: number;
  readonly #cell = Buffer.alloc(numberSize);

  constructor(path: string) {
    this.#file = openSync(path, "r+");
    this.#size = fstatSync(this.#file).size;
  }

  /** Makes the file. */
  static create(path: string, records: number): void {
    writeFileSync(path, Buffer.alloc((headCells + records * cells) * numberSize));
  }

  version(record: number): number {
    return this.#read(headCells + record * cells);
  }

  setVersion(record: number, version: number): void {
    this.#write(headCells + record * cells, version);
  }

  /** Returns the highest number that a process has put into the column. */
  highest(record: number, column: Column): number {
    const numbers = Buffer.alloc(numberSize * mostProcesses);
    readSync(this.#file, numbers, 0, numbers.length, place(record, column, 0) * numberSize);
    return highestIn(numbers, 0);
  }

  /** Copies the board as it is now. */
  copy(): BoardCopy {
    const numbers = Buffer.allocUnsafe(this.#size);
    readSync(this.#file, numbers, 0, numbers.length, 0);
    return { highest: (record, column) => highestIn(numbers, place(record, column, 0) * numberSize) };
  }

  of(record: number, column: Column, slot: number): number {
    return this.#read(place(record, column, slot));
  }

  put(record: number, column: Column, slot: number, number: number): void {
    this.#write(place(record, column, slot), number);
  }

  raise(record: number, column: Column, slot: number, number: number): void {
    if (this.of(record, column, slot) < number) this.put(record, column, slot, number);
  }

  /** The time since when there is no fault; `Infinity` while there is one, or has just been one. */
  get calmSince(): number {
    return this.#read(0);
  }

  set calmSince(time: number) {
    this.#write(0, time);
  }

  /** Returns when a process has last seen its storage or its bus in trouble. */
  troubleOf(slot: number): number {
    return this.#read(mostProcesses + slot);
  }

  setTrouble(slot: number, time: number): void {
    this.#write(mostProcesses + slot, time);
  }

  close(): void {
    closeSync(this.#file);
  }

  #read(cell: number): number {
    readSync(this.#file, this.#cell, 0, numberSize, cell * numberSize);
    return this.#cell.readDoubleLE(0);
  }

  #write(cell: number, number: number): void {
    this.#cell.writeDoubleLE(number, 0);
    writeSync(this.#file, this.#cell, 0, numberSize, cell * numberSize);
  }
}

/** A board as it was at one moment. */
export interface BoardCopy {
  highest(record: number, column: Column): number;
}

function highestIn(numbers: Buffer, start: number): number {
  let highest = 0;
  for (let slot = 0; slot < mostProcesses; slot++) {
    highest = Math.max(highest, numbers.readDoubleLE(start + slot * numberSize));
  }
  return highest;
}

function place(record: number, column: Column, slot: number): number {
  return headCells + record * cells + 1 + (columns.indexOf(column) - 1) * mostProcesses + slot;
}

/** Returns the milliseconds of the machine's clock that all processes share and nobody sets. */
export function sharedTime(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
