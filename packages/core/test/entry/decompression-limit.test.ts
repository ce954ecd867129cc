import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeEntry } from "../../src/entry/entry-codec.js";
import { Cacheme, compressed, json, memory, type NodeMeta, type Serializer } from "../../src/index.js";
import { DecompressionLimit } from "../../src/serializer/decompression-limit.js";
import { entryBytes } from "../support/entry-bytes.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, remoteOnly } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

const mebibyte = 2 ** 20;

/** Compresses any payload, as an attacker or a program with other settings would. */
const unlimited = compressed(json(), { threshold: 0, maxDecompressedSize: 2 ** 30 });
const small = compressed(json(), { threshold: 0, maxDecompressedSize: 80_000 });

function stored(value: unknown, writer: Serializer = unlimited): Uint8Array {
  return entryBytes(writer, 1, "a:b:c:1", { value, writtenAt: 0, freshUntil: Number.POSITIVE_INFINITY });
}

function read(bytes: Uint8Array, reader: Serializer, limit?: DecompressionLimit): unknown {
  return decodeEntry(reader, 1, "a:b:c:1", bytes, 0, limit)?.value;
}

/** Text that deflate makes some 8 times smaller. */
function ordinaryText(length: number): string {
  return Array.from({ length: length / 16 }, () => randomBytes(1).toString("hex").padEnd(16, "-")).join("");
}

describe("a compressed entry", () => {
  it("of a few kilobytes is a miss if it would grow to more than 8 MiB, even for a class without compressed()", () => {
    expect(read(stored("x".repeat(9 * mebibyte)), json())).toBeUndefined();
    expect(read(stored("x".repeat(7 * mebibyte)), json())).toHaveLength(7 * mebibyte);
  });

  it("is read up to maxDecompressedSize if it grows as records do, and is a miss beyond", () => {
    expect(read(stored(ordinaryText(79_984)), small)).toHaveLength(79_984);
    expect(read(stored(ordinaryText(80_000)), small)).toBeUndefined();
  });

  it("that grows unusually shares an eighth of maxDecompressedSize with the others of its batch", async () => {
    const limit = new DecompressionLimit();
    const unusual = stored("x".repeat(6_000));
    const ordinary = stored(ordinaryText(40_000));

    const batch = [unusual, unusual, ordinary, unusual, ordinary].map((bytes) => read(bytes, small, limit));
    await Promise.resolve();

    expect(batch.map((value) => value !== undefined)).toEqual([true, false, true, false, true]);
    expect(read(unusual, small, limit)).toHaveLength(6_000);
  });

  it("counts against its batch even if it grew too large", () => {
    const limit = new DecompressionLimit();

    expect(read(stored("x".repeat(20_000)), small, limit)).toBeUndefined();
    expect(read(stored("x".repeat(6_000)), small, limit)).toBeUndefined();
  });

  it("is never written if it could not be read", () => {
    for (const size of [9_000, 11_000, 30_000, 79_000, 90_000]) {
      for (const value of ["x".repeat(size), ordinaryText(size)]) {
        expect(read(stored(value, small), small)).toBe(value);
      }
    }
  });
});

describe("a batch of forged entries", () => {
  it("costs at most one decompression, and the rest are loaded", async () => {
    const clock = new VirtualClock();
    const remote = new SimulatedRemote(clock);
    const nodes = async (serializer: Serializer | undefined) => {
      const cacheme = new Cacheme({ clock });
      await cacheme.registerStorage("local", memory());
      await cacheme.registerStorage("remote", remote);
      const meta: NodeMeta = { caches: remoteOnly, serializer };
      return { cacheme, ...countingNode(meta, () => "loaded") };
    };
    const attacker = await nodes(unlimited);
    const victim = await nodes(json());
    const ids = Array.from({ length: 4 }, (_, id) => id);
    for (const id of ids) await attacker.cacheme.set(new attacker.Counting(id), "x".repeat(7 * mebibyte));

    const values = await victim.cacheme.getAll(ids.map((id) => new victim.Counting(id)));

    expect(values.filter((value) => value !== "loaded")).toHaveLength(1);
    expect(victim.loads).toHaveLength(3);
  });
});
