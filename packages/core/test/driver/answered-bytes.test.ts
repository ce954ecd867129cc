import { describe, expect, it } from "vitest";
import { ownBytes, refusedLease } from "../../src/driver.js";

describe("bytes of an answer", () => {
  const message = new Uint8Array(1000).fill(1);

  it("are copied if they are a small part of what came from the network", () => {
    for (const part of [message.subarray(0, 100), Buffer.from(message.buffer, 0, 100)]) {
      const own = ownBytes(part);
      expect(own).toEqual(new Uint8Array(100).fill(1));
      expect(own.buffer.byteLength).toBe(100);
    }
  });

  it("are copied into the pool of Buffers if a storage prefers that", () => {
    const own = ownBytes(message.subarray(0, 100), Buffer.from);
    expect(own).toEqual(Buffer.alloc(100, 1));
    expect(own.buffer).not.toBe(message.buffer);
  });

  it("are not copied if they are half of it or more", () => {
    const large = message.subarray(0, 500);
    expect(ownBytes(large)).toBe(large);
  });

  it("refuse a lease as fresh unless the caller has seen them", () => {
    const bytes = Buffer.from("value");
    expect(refusedLease({ seen: undefined }, bytes)).toEqual({ outcome: "fresh", bytes });
    expect(refusedLease({ seen: Buffer.from("other") }, bytes)).toEqual({ outcome: "fresh", bytes });
    expect(refusedLease({ seen: new Uint8Array(bytes) }, bytes)).toEqual({ outcome: "held" });
    expect(refusedLease({ seen: undefined }, undefined)).toEqual({ outcome: "held" });
  });
});
