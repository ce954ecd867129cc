import { afterEach, describe, expect, it, vi } from "vitest";
import { type CachemeEvents, msgpack, type Serializer, v8 } from "../src/index.js";
import { countingNode, remoteOnly, space } from "./support/space.js";

afterEach(() => vi.restoreAllMocks());

/** A space that has stored the value of one node, and the events that it emits from then on. */
async function stored(serializer?: Serializer) {
  const { cacheme, clock, remote } = await space();
  const { Counting, loads } = countingNode({ name: "item", caches: remoteOnly, serializer }, (id) => ({
    id,
  }));
  await cacheme.get(new Counting(1));
  const events: CachemeEvents["unreadable"][] = [];
  const spoil = (change: (bytes: Uint8Array) => Uint8Array, key = "cacheme:item:1:1") => {
    const record = remote.records.get(key);
    if (record !== undefined) remote.records.set(key, { ...record, bytes: change(record.bytes) });
  };
  const listen = () => cacheme.on("unreadable", (event) => events.push(event));
  return { cacheme, clock, remote, Counting, loads, events, spoil, listen };
}

const flipped = (bytes: Uint8Array) => bytes.map((byte, at) => (at === 30 ? byte ^ 1 : byte));

describe("stored bytes that cannot be read", () => {
  it.each<[string, CachemeEvents["unreadable"]["fault"], (bytes: Uint8Array) => Uint8Array]>([
    ["are not an entry", "format", () => Buffer.from("hello, this is some other program's value, not ours")],
    ["are too short", "format", () => new Uint8Array(3)],
    ["have a later format", "format", (bytes) => bytes.map((byte, at) => (at === 0 ? 99 : byte))],
    ["have a flipped bit", "corrupt", flipped],
    ["are torn", "corrupt", (bytes) => bytes.slice(0, -1)],
  ])("are a miss and reported if they %s", async (_, fault, change) => {
    const { cacheme, Counting, loads, events, spoil, listen } = await stored();
    listen();
    spoil(change);
    expect(await cacheme.get(new Counting(1))).toEqual({ id: 1 });
    expect(loads).toEqual([1, 1]);
    expect(events).toEqual([
      { node: "item", storage: "remote", storageKey: "cacheme:item:1:1", fault, error: undefined },
    ]);
  });

  it("are a miss and reported if the class had another serializer, or another class wrote them", async () => {
    const { cacheme, remote, events, listen } = await stored(v8());
    listen();
    const bytes = remote.records.get("cacheme:item:1:1")!;
    const other = countingNode({ name: "other", caches: remoteOnly, serializer: v8() }, () => "other");
    remote.records.set("cacheme:other:2:1", bytes);
    expect(await cacheme.get(new other.Counting(2))).toBe("other");
    expect(events.map(({ node, fault }) => [node, fault])).toEqual([["other", "corrupt"]]); // Bound to its key.
    const changed = countingNode({ name: "item", caches: remoteOnly, serializer: msgpack() }, () => "now");
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    expect(await cacheme.get(new changed.Counting(1))).toBe("now");
    expect(events.map(({ node, fault }) => [node, fault])).toEqual([
      ["other", "corrupt"],
      ["item", "serializer"],
    ]);
  });

  it("are a miss and reported with the error if the serializer throws", async () => {
    const broken: Serializer = {
      codec: 77,
      encode: (value) => Buffer.from(JSON.stringify(value)),
      decode: () => {
        throw new Error("cannot decode");
      },
    };
    const { cacheme, Counting, events, listen } = await stored(broken);
    listen();
    expect(await cacheme.get(new Counting(1))).toEqual({ id: 1 });
    expect(events).toMatchObject([{ fault: "undecodable", error: { message: "cannot decode" } }]);
  });

  it("are reported once a minute for each class and fault", async () => {
    const { cacheme, clock, Counting, events, spoil, listen } = await stored();
    listen();
    const read = async (change: (bytes: Uint8Array) => Uint8Array) => {
      spoil(change);
      await cacheme.get(new Counting(1));
    };
    for (let round = 0; round < 3; round++) await read(flipped);
    await read(() => new Uint8Array(3));
    expect(events.map(({ fault }) => fault)).toEqual(["corrupt", "format"]);
    clock.advance(59_000);
    await read(flipped);
    expect(events).toHaveLength(2);
    clock.advance(1_000);
    await read(flipped);
    expect(events.map(({ fault }) => fault)).toEqual(["corrupt", "format", "corrupt"]);
  });

  it("are reported by one process warning if nobody listens", async () => {
    const { cacheme, clock, Counting, spoil } = await stored();
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    for (let round = 0; round < 3; round++) {
      spoil(flipped);
      await cacheme.get(new Counting(1));
      clock.advance(60_000);
    }
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(
        /"cacheme:item:1:1" of node "item" in storage "remote" cannot be read \(corrupt\)/,
      ),
      expect.anything(),
    );
  });

  it("are not reported if the entry is only too old", async () => {
    const { cacheme, clock, Counting, events, listen, loads } = await stored();
    listen();
    clock.advance(11 * 60_000);
    await cacheme.get(new Counting(1));
    expect(loads).toEqual([1, 1]);
    expect(events).toEqual([]);
  });
});
