// Jest runs tests in another context than Node.js. Values of Node.js itself have the classes of
// another realm.
const { createServer } = require("node:http");
const os = require("node:os");
const { runInThisContext } = require("node:vm");
const { Cacheme, compressed, defineNode, json, memory, msgpack, v8 } = require("cacheme");
const { slowShelf } = require("./storages.js");

/** Node's own globals. The jsdom environment has none of these functions. */
const node = runInThisContext("globalThis");

let server;
let address;

beforeAll(async () => {
  server = createServer((_request, response) => response.end(JSON.stringify({ users: [{ id: 1 }] })));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${server.address().port}/`;
});

afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

/**
 * Reads with a space, then with a second one over the same storage, which must decode the stored
 * value.
 */
async function throughRemote(serializer, load) {
  const shelf = slowShelf();
  const made = defineNode({ name: "made", caches: [{ storage: "shelf" }], serializer, key: () => "1", load });
  const answers = [];
  for (const loader of [undefined, () => Promise.reject(new Error("not stored"))]) {
    const space = new Cacheme();
    await space.registerStorage("shelf", shelf);
    const failures = [];
    space.on("notStored", ({ error }) => failures.push(error));
    answers.push(await space.get(made(), loader && { load: loader }));
    expect(failures).toEqual([]);
    await space.close();
  }
  return answers;
}

const everySerializer = [
  ["msgpack()", msgpack()],
  ["v8()", v8()],
  ["json()", json()],
  ["compressed(msgpack())", compressed(msgpack())],
];

describe.each(everySerializer)("%s carries, over a remote storage,", (_, serializer) => {
  test("the result of fetch().json()", async () => {
    const [first, second] = await throughRemote(serializer, async () => (await node.fetch(address)).json());
    expect(second).toEqual(first);
    expect(second).toEqual({ users: [{ id: 1 }] });
  });

  test("the results of os.cpus() and os.networkInterfaces()", async () => {
    const [first, second] = await throughRemote(serializer, () => [os.cpus(), os.networkInterfaces()]);
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  });

  test("the result of structuredClone", async () => {
    const [first, second] = await throughRemote(serializer, () =>
      node.structuredClone({ list: [1, { two: 2 }] }),
    );
    expect(second).toEqual(first);
  });

  test("plain objects of the test's own realm", async () => {
    const [, second] = await throughRemote(serializer, () => ({ list: [1, { two: 2 }] }));
    expect(second).toEqual({ list: [1, { two: 2 }] });
  });
});

describe.each(everySerializer.filter(([name]) => name !== "json()"))(
  "%s carries, of both realms,",
  (_, serializer) => {
    test("Maps, Sets, Dates, bytes", async () => {
      const value = () => ({
        map: new Map([[1n, new Set(["a"])]]),
        date: new Date(0),
        bytes: new Uint8Array([1, 2]),
        buffer: Buffer.from("ab"),
      });
      for (const load of [value, () => node.structuredClone(value())]) {
        const [first, second] = await throughRemote(serializer, load);
        expect(second.map.get(1n).has("a")).toBe(true);
        expect(second.date.getTime()).toBe(0);
        expect([...second.bytes, ...second.buffer]).toEqual([...first.bytes, ...first.buffer]);
      }
    });

    test("errors", async () => {
      const [, own] = await throughRemote(serializer, () => ({ error: new RangeError("too far") }));
      expect([own.error.name, own.error.message]).toEqual(["RangeError", "too far"]);
    });
  },
);

test("msgpack() carries errors of Node.js itself", async () => {
  const [, { error }] = await throughRemote(msgpack(), async () => ({
    error: await require("node:fs/promises")
      .readFile("/no/such/file")
      .catch((reason) => reason),
  }));
  expect([error.code, error.syscall]).toEqual(["ENOENT", "open"]);
});

test("memory() freezes and clones values of both realms", async () => {
  for (const values of ["frozen", "cloned", "shared"]) {
    const space = new Cacheme();
    await space.registerStorage("local", memory({ values }));
    const made = defineNode({
      name: "made",
      caches: [{ storage: "local" }],
      key: (of) => of,
      load: (of) => (of === "node" ? node.structuredClone({ list: [1] }) : { list: [1] }),
    });
    for (const of of ["node", "test"]) {
      await space.get(made(of));
      expect(await space.get(made(of))).toEqual({ list: [1] });
    }
    await space.close();
  }
});
