const loadModules = () => {
  const cacheme = require("cacheme");
  const { UserNode } = require("./user-node.js");
  return { ...cacheme, UserNode };
};

afterEach(async () => {
  await loadModules().reset();
  jest.resetModules();
});

test("reset modules share the default space, its entries and errors", async () => {
  const before = loadModules();
  await before.registerStorage("local", before.memory());
  const ada = await before.get(new before.UserNode(1));

  jest.resetModules();
  const after = loadModules();
  expect(after.UserNode).not.toBe(before.UserNode);
  await after.registerStorage("local", after.memory());
  expect(await after.get(new after.UserNode(1))).toBe(ada);
  await expect(after.registerStorage("local", after.memory({ maxSize: 1 }))).rejects.toBeInstanceOf(
    before.CachemeError,
  );
});

test("each class loads with its own module", async () => {
  jest.doMock("./database.js", () => ({ user: (id) => ({ id, from: "the first mock" }) }));
  const first = loadModules();
  await first.registerStorage("local", first.memory());
  expect(await first.get(new first.UserNode(1))).toEqual({ id: 1, from: "the first mock" });

  jest.resetModules();
  jest.doMock("./database.js", () => ({ user: (id) => ({ id, from: "the second mock" }) }));
  const second = loadModules();
  expect(await second.get(new second.UserNode(2))).toEqual({ id: 2, from: "the second mock" });
  jest.dontMock("./database.js");
});

test("after reset() the default space is empty", async () => {
  const { get, memory, registerStorage, reset, UserNode } = loadModules();
  await registerStorage("local", memory());
  const before = await get(new UserNode(1));
  await reset();
  await registerStorage("local", memory());
  expect(await get(new UserNode(1))).not.toBe(before);
});
