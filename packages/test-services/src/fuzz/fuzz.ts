import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { temporaryFolder } from "../machine/temporary-folder.js";
import type { Program } from "../program.js";
import type { Server } from "../run/service.js";
import { Board, sharedTime } from "./board.js";
import { type Fault, faults, inflict } from "./faults.js";
import type { Done, Order, ProcessSettings, Told } from "./fuzz-program.js";
import { idOf, kindOf, partsOf, records } from "./kinds.js";
import type { Happening, Violation } from "./ledger.js";
import { Random } from "./random.js";
import type { Operation } from "./stage.js";

/** The settings of a run. */
export interface FuzzOptions {
  /** A server that nobody else uses. */
  readonly server: Server;
  /** A program that calls `runFuzzProcess`. */
  readonly program: Program;
  readonly seed: number;
  /** The number of faults. */
  readonly faults: number;
  /** Whether everything may recover now and then, so that calm times are checked, too. Default: no. */
  readonly recovers?: boolean;
  /** Whether the processes are connected by a bus. */
  readonly withBus: boolean;
  /** The number of processes. Default: 4. */
  readonly processes?: number;
}

/** The findings of a run. */
export interface FuzzReport {
  readonly violations: readonly string[];
  readonly counts: Readonly<Partial<Record<Operation, number>>>;
  readonly faults: readonly Fault[];
  /** Milliseconds of the longest call. */
  readonly longest: number;
}

/** The most violations that a report shows. */
const mostShown = 3;

/** Milliseconds before a violation whose happenings are shown. */
const shownBefore = 4_000;

/** Milliseconds before the first fault, and after the last one. */
const quietTime = 3_000;

/** Milliseconds after a fault until everything must be as before it. */
const recovery = 8_000;

/** Runs processes that use one server, inflicts faults, and reports every broken promise. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const folder = temporaryFolder("fuzz");
  const run = new FuzzRun(options, join(folder, "board"));
  try {
    return await run.report();
  } finally {
    run.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Slot {
  child: ChildProcess;
  incarnation: number;
  isStopped: boolean;
}

class FuzzRun {
  readonly #options: FuzzOptions;
  readonly #boardPath: string;
  readonly #board: Board;
  readonly #random: Random;
  readonly #slots: Slot[] = [];
  readonly #violations: string[] = [];
  /** The processes' notes about each of the first violations. */
  readonly #collected: Happening[][] = [];
  readonly #inflictedAt: Happening[] = [];
  readonly #inflicted: Fault[] = [];
  readonly #done: Done[] = [];

  constructor(options: FuzzOptions, boardPath: string) {
    this.#options = options;
    this.#boardPath = boardPath;
    Board.create(boardPath, records);
    this.#board = new Board(boardPath);
    this.#random = new Random(options.seed);
  }

  async report(): Promise<FuzzReport> {
    const { server, processes = 4, faults: count, recovers = false } = this.#options;
    const proxy = await server.proxy();
    await Promise.all(
      Array.from({ length: processes }, (_, slot) =>
        this.#start(slot, slot % 2 === 0 ? server.url : proxy.url),
      ),
    );
    await pause(quietTime);
    const victims = {
      server,
      proxy,
      processes,
      replace: (slot: number) => this.#replace(slot, slot % 2 === 0 ? server.url : proxy.url),
      stop: (slot: number, time: number) => this.#stop(slot, time),
    };
    while (this.#inflicted.length < count && this.#violations.length === 0) {
      const fault = this.#nextFault();
      this.#board.calmSince = Number.POSITIVE_INFINITY;
      this.#collect(`${fault} begins`);
      await inflict(fault, victims, this.#random);
      this.#collect(`${fault} ends`);
      this.#board.calmSince = sharedTime() + recovery;
      this.#inflicted.push(fault);
      const rests = recovers && this.#random.chance(0.15);
      await pause(rests ? recovery + quietTime : 200 + this.#random.below(1_500));
    }
    if (this.#violations.length === 0) await pause(quietTime);
    await this.#end();
    await proxy.close();
    const counts: Partial<Record<Operation, number>> = {};
    for (const done of this.#done) {
      for (const [name, count] of Object.entries(done.counts) as [Operation, number][]) {
        counts[name] = (counts[name] ?? 0) + count;
      }
    }
    return {
      violations: this.#violations,
      counts,
      faults: this.#inflicted,
      longest: Math.max(0, ...this.#done.map(({ longest }) => longest)),
    };
  }

  kill(): void {
    for (const { child } of this.#slots) child.kill("SIGKILL");
    this.#board.close();
  }

  /** Inflicts each fault before one comes twice. */
  #nextFault(): Fault {
    const rest = faults.filter((fault) => !this.#inflicted.slice(-faults.length + 1).includes(fault));
    return rest[this.#random.below(rest.length)] ?? "network cut";
  }

  async #start(slot: number, address: string, incarnation = 0): Promise<void> {
    const { program, seed, withBus, processes = 4 } = this.#options;
    const settings: ProcessSettings = {
      board: this.#boardPath,
      storage: address,
      bus: withBus ? address : undefined,
      seed,
      slot,
      processes,
      incarnation,
    };
    const child = fork(program.path, [JSON.stringify(settings)], { execArgv: ["--no-warnings"] });
    this.#slots[slot] = { child, incarnation, isStopped: false };
    child.on("message", (told: Told) => {
      if ("violation" in told) void this.#violated(slot, told.violation);
      else if ("happenings" in told) {
        const named = told.happenings.map((one) => ({ ...one, text: `process ${slot}: ${one.text}` }));
        this.#collected[told.number] = [...(this.#collected[told.number] ?? []), ...named];
      } else if ("done" in told) this.#done.push(told.done);
    });
    child.on("exit", (code, signal) => {
      if (signal === "SIGKILL" || (code === 0 && signal === null)) return;
      this.#violations.push(`Process ${slot} ended with ${code ?? signal}.`);
    });
    await new Promise<void>((resolve) => {
      child.on("message", (told: Told) => "ready" in told && resolve());
      child.once("exit", () => resolve());
    });
  }

  async #replace(slot: number, address: string): Promise<void> {
    const known = this.#slots[slot];
    if (known === undefined) return;
    known.child.kill("SIGKILL");
    await once(known.child, "exit");
    for (let record = 0; record < records; record++) this.#board.put(record, "loading", slot, 0);
    await this.#start(slot, address, known.incarnation + 1);
  }

  async #stop(slot: number, time: number): Promise<void> {
    const known = this.#slots[slot];
    known?.child.kill("SIGSTOP");
    await pause(time);
    known?.child.kill("SIGCONT");
  }

  #collect(text: string): void {
    this.#inflictedAt.push({ at: sharedTime(), record: -1, text });
  }

  async #violated(slot: number, { what, record, at }: Violation): Promise<void> {
    const subject = record === undefined ? "" : `, ${kindOf(record)} ${idOf(record)}`;
    const title = `process ${slot}, ${at.toFixed(1)}${subject}: ${what}`;
    const place = this.#violations.push(title) - 1;
    if (record === undefined || place >= mostShown) return;
    const of = [record, ...partsOf(record)];
    for (const { child } of this.#slots)
      child.send({ happenings: of, number: place } satisfies Order, () => {});
    await pause(1_500);
    const lines = [...this.#inflictedAt, ...(this.#collected[place] ?? [])]
      .filter((one) => one.at > at - shownBefore && one.at < at + 100)
      .sort((one, other) => one.at - other.at)
      .map((one) => `    ${one.at.toFixed(1)} ${one.record === -1 ? "" : kindOf(one.record)} ${one.text}`);
    this.#violations[place] = `${title}\n${lines.join("\n")}`;
  }

  async #end(): Promise<void> {
    if (this.#violations.length > 0) await pause(2_000);
    const ends = this.#slots.map(async ({ child }, slot) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.send("end" satisfies Order, () => {});
      const isLate = Symbol("late");
      if ((await Promise.race([exit, pause(20_000, isLate, { ref: false })])) !== isLate) return;
      this.#violations.push(`Process ${slot} did not end by itself.`);
    });
    await Promise.all(ends);
  }
}
