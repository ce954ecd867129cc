import { afterEach, expect, it, vi } from "vitest";

async function loadModules() {
  return { ...(await import("cacheme")), ...(await import("./user-node.mjs")) };
}

afterEach(async () => {
  const { reset } = await loadModules();
  await reset();
  vi.doUnmock("./database.mjs");
  vi.resetModules();
});

it("shares the default space, its entries and errors among reset modules", async () => {
  const before = await loadModules();
  await before.registerStorage("local", before.memory());
  const ada = await before.get(new before.UserNode(1));

  vi.resetModules();
  const after = await loadModules();
  expect(after.UserNode).not.toBe(before.UserNode);
  await after.registerStorage("local", after.memory());
  expect(await after.get(new after.UserNode(1))).toBe(ada);
  const other = after.registerStorage("local", after.memory({ maxSize: 1 }));
  await expect(other).rejects.toBeInstanceOf(before.CachemeError);
});

it("loads with each module's own functions", async () => {
  for (const from of ["the first mock", "the second mock"]) {
    vi.resetModules();
    vi.doMock("./database.mjs", () => ({ user: (id) => ({ id, from }) }));
    const { get, memory, registerStorage, UserNode } = await loadModules();
    await registerStorage("local", memory());
    expect(await get(new UserNode(from))).toEqual({ id: from, from });
  }
});
