import { describe, expect, it } from "vitest";
import { Deadlines, type Timer, type Timers } from "../src/deadlines.js";

interface FakeTimer extends Timer {
  readonly at: number;
  readonly task: () => void;
  isRef: boolean;
}

/** Timers of a time that a test advances. */
class FakeTimers implements Timers<FakeTimer> {
  now = 0;
  started = 0;
  readonly running = new Set<FakeTimer>();
  readonly setTimeout = (task: () => void, ms: number) => this.#start(task, ms);
  readonly setInterval = (task: () => void, ms: number) => this.#start(task, ms);

  readonly elapsed = () => this.now;

  readonly clearTimeout = (timer: FakeTimer) => void this.running.delete(timer);

  #start(task: () => void, ms: number): FakeTimer {
    const timer: FakeTimer = {
      at: this.now + ms,
      task,
      isRef: true,
      ref: () => {
        timer.isRef = true;
      },
      unref: () => {
        timer.isRef = false;
      },
    };
    this.started += 1;
    this.running.add(timer);
    return timer;
  }

  get keepsAlive(): boolean {
    return [...this.running].some(({ isRef }) => isRef);
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const [due] = [...this.running].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (due === undefined) break;
      this.running.delete(due);
      this.now = Math.max(this.now, due.at);
      due.task();
    }
    this.now = until;
  }
}

function setUp() {
  const timers = new FakeTimers();
  const ran: string[] = [];
  const deadlines = new Deadlines(timers);
  const add = (name: string, ms: number) => deadlines.add(() => ran.push(`${name} ${timers.now}`), ms);
  return { timers, ran, deadlines, add };
}

describe("deadlines", () => {
  it("run once each, at their own time, of one delay and of several", () => {
    const { timers, ran, add } = setUp();
    add("a", 100);
    timers.advance(30);
    add("b", 100);
    add("c", 20);
    timers.advance(1_000);
    expect(ran).toEqual(["c 50", "a 100", "b 130"]);
  });

  it("do not run once they are cancelled, and a later one still runs at its own time", () => {
    const { timers, ran, add } = setUp();
    const cancel = add("a", 100);
    timers.advance(60);
    cancel();
    cancel();
    add("b", 100);
    timers.advance(1_000);
    expect(ran).toEqual(["b 160"]);
  });

  it("of the middle and of the end of a list can be cancelled", () => {
    const { timers, ran, add } = setUp();
    const cancels = ["a", "b", "c", "d"].map((name) => add(name, 100));
    cancels[1]?.();
    cancels[3]?.();
    add("e", 100);
    timers.advance(100);
    expect(ran).toEqual(["a 100", "c 100", "e 100"]);
  });

  it("keep the process alive while one is pending, and not longer", () => {
    const { timers, add } = setUp();
    const first = add("a", 100);
    const second = add("b", 1_000);
    expect(timers.keepsAlive).toBe(true);
    first();
    first();
    expect(timers.keepsAlive).toBe(true);
    second();
    expect(timers.keepsAlive).toBe(false);
    add("c", 100);
    expect(timers.keepsAlive).toBe(true);
    timers.advance(100);
    expect(timers.keepsAlive).toBe(false);
  });

  it("share one timer, however many are begun and cancelled", () => {
    const { timers, add } = setUp();
    for (let load = 0; load < 1_000; load++) add(`${load}`, 30_000)();
    expect(timers.started).toBe(2); // The other one keeps the process alive.
  });

  it("do not hold each other up if a task throws", () => {
    const { timers, ran, deadlines, add } = setUp();
    deadlines.add(() => {
      throw new Error("a task's own");
    }, 100);
    add("b", 100);
    expect(() => timers.advance(100)).toThrow("a task's own");
    timers.advance(10);
    expect(ran).toEqual(["b 101"]);
  });

  it("leave few timers behind, however many delays there were", () => {
    const { timers, ran, add } = setUp();
    for (let ms = 1_000; ms < 2_000; ms++) add("cancelled", ms)();
    expect(timers.running.size).toBeLessThan(20);
    timers.advance(5_000);
    expect(timers.running.size).toBe(1);
    add("again", 1_500);
    timers.advance(1_500);
    expect(ran).toEqual(["again 6500"]);
  });

  it("can be begun by the task of another one, of the same delay", () => {
    const { timers, ran, deadlines, add } = setUp();
    deadlines.add(() => add("b", 100), 100);
    timers.advance(1_000);
    expect(ran).toEqual(["b 200"]);
    expect(timers.keepsAlive).toBe(false);
  });
});
