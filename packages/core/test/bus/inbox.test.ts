import { expect, it } from "vitest";
import { Inbox } from "../../src/bus/inbox.js";
import { VirtualClock } from "../support/virtual-clock.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function inbox() {
  const clock = new VirtualClock();
  const done: number[] = [];
  let overflows = 0;
  const made = new Inbox(clock, () => {
    overflows += 1;
  });
  /** Adds a task that takes so many milliseconds. */
  const add = (name: number, milliseconds: number) =>
    made.add(() => {
      done.push(name);
      clock.advance(milliseconds);
    });
  return { inbox: made, done, add, overflows: () => overflows };
}

it("runs a few tasks at once", () => {
  const { add, done } = inbox();
  for (const name of [1, 2, 3]) add(name, 3);
  expect(done).toEqual([1, 2, 3]);
});

it("spreads many tasks over the turns of the event loop, in their order", async () => {
  const { add, done } = inbox();
  for (const name of [1, 2, 3, 4, 5]) add(name, 6);
  expect(done).toEqual([1, 2]);
  await turn();
  expect(done).toEqual([1, 2, 3, 4]);
  add(6, 1);
  expect(done).toEqual([1, 2, 3, 4]);
  await turn();
  expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  await turn();
  add(7, 1);
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

it("gives the waiting tasks up if there are too many", async () => {
  const { add, done, overflows } = inbox();
  for (let name = 0; name <= 501; name++) add(name, 20);
  expect(overflows()).toBe(1);
  await turn();
  expect(done).toEqual([0]);
  add(1_000, 1);
  expect(done).toEqual([0, 1_000]);
});

it("forgets the waiting tasks when it is cleared, also by one of them", async () => {
  const { inbox: made, add, done } = inbox();
  add(1, 20);
  made.add(() => made.clear());
  add(2, 1);
  await turn();
  add(3, 1);
  expect(done).toEqual([1, 3]);
});
