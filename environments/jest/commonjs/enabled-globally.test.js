/* Another project of Jest runs this file, with `fakeTimers: { enableGlobally: true }`. */
const { Cacheme, defineNode, memory } = require("cacheme");

test("a miss is answered if all timers were faked before the package was loaded", async () => {
  expect(setTimeout.clock).toBeDefined(); // Jest has faked the timers.
  const space = new Cacheme();
  await space.registerStorage("local", memory());
  let loads = 0;
  const counted = defineNode({
    name: "counted",
    caches: [{ storage: "local", ttl: "1m" }],
    key: (id) => id,
    load: () => ++loads,
  });
  expect(await space.getAll([counted("a"), counted("b")])).toEqual([1, 2]);
  jest.advanceTimersByTime(60_000);
  expect(await space.get(counted("a"))).toBe(3);
  await space.close();
});
