/* Another project of Jest runs this file, with `fakeTimers: { enableGlobally: true }`. */
const { Cacheme, memory } = require("cacheme");
const { counted } = require("./counted.js");

test("a miss is answered if all timers were faked before the package was loaded", async () => {
  expect(setTimeout.clock).toBeDefined(); // Jest has faked the timers.
  const space = new Cacheme();
  await space.registerStorage("local", memory());
  expect(await space.getAll([counted("a"), counted("b")])).toEqual([1, 2]);
  jest.advanceTimersByTime(60_000);
  expect(await space.get(counted("a"))).toBe(3);
  await space.close();
});
