// A space with its own clock, as in docs/testing.md.
import { Cacheme, defineNode, memory } from "cacheme";
import { expect, it } from "vitest";

class TestClock {
  #now = 0;
  #timers = new Set();

  now() {
    return this.#now;
  }

  elapsed() {
    return this.#now;
  }

  schedule(task, ms) {
    const timer = { at: this.#now + ms, task };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  advance(ms) {
    this.#now += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.task();
    }
  }
}

const user = defineNode({
  name: "user",
  caches: [{ storage: "local", ttl: "1m" }],
  key: (id) => id,
  load: (id) => ({ id }),
});

it("moves ttls", async () => {
  const clock = new TestClock();
  const cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory());
  const first = await cacheme.get(user("a"));
  clock.advance(59_999);
  expect(await cacheme.get(user("a"))).toBe(first);
  clock.advance(1);
  expect(await cacheme.get(user("a"))).not.toBe(first);
  await cacheme.close();
});

it("moves the loadTimeout", async () => {
  const clock = new TestClock();
  const cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory());
  const reading = expect(cacheme.get(user("a"), { load: () => new Promise(() => {}) })).rejects.toMatchObject(
    { code: "CACHEME_LOAD_TIMEOUT" },
  );
  await new Promise(setImmediate);
  clock.advance(30_000);
  await reading;
  await cacheme.close();
});
