import { expect, it } from "vitest";
import type { RunningServer } from "../run/running-server.js";
import { cleanup, until, works } from "./cleanup.js";

/** The part of a storage that the tests of failures use. */
interface NetworkStorage {
  connect(): Promise<void>;
  close(): Promise<void>;
  ping(): Promise<void>;
  readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  writeMany(records: readonly { key: string; bytes: Uint8Array; ttl: number }[]): Promise<void>;
  removeMany(keys: readonly string[]): Promise<number>;
}

/** Times that the tests give a storage. */
interface Times {
  readonly commandTimeout?: number | "1h";
  readonly connectTimeout?: number;
}

/**
 * Tests the deadlines of a storage while its server stops, is down, or the program is busy.
 *
 * @param server returns a server of the tests' own, which they pause and kill
 * @param make makes the storage
 */
export function itKeepsDeadlines(server: () => RunningServer, make: (times: Times) => NetworkStorage): void {
  const { closing, after } = cleanup();

  it("keeps a removal that follows a write to a stopped server", async () => {
    const storage = closing(make({ commandTimeout: 250, connectTimeout: 500 }));
    await storage.connect();
    after(() => server().resume());
    await server().pause();
    const record = { key: "overtaken", bytes: Buffer.from("value"), ttl: 60_000 };
    await expect(storage.writeMany([record])).rejects.toThrow("within 250 ms");
    await server().resume();
    await until(() => works(storage.removeMany(["overtaken"])));
    expect(await storage.readMany(["overtaken"])).toEqual([undefined]);
  });

  it("fails at once, not at the deadline, while the server is down", async () => {
    // A call that waited for this deadline would exceed the test's time limit.
    const storage = closing(make({ commandTimeout: "1h" }));
    await storage.connect();
    after(() => server().restart());
    await server().kill();
    const refused = { code: "CACHEME_CONNECT_FAILED" };
    await until(() =>
      expect(storage.ping())
        .rejects.toMatchObject(refused)
        .then(() => true),
    );
    for (let call = 0; call < 100; call++) {
      await expect(storage.readMany(["a"])).rejects.toMatchObject(refused);
    }
  });

  it("accepts an answer that arrived while the program was too busy to read it", async () => {
    const storage = closing(make({ commandTimeout: 50 }));
    await storage.connect();
    const call = storage.readMany(["none"]);
    await new Promise((resolve) => setImmediate(resolve));
    const busyUntil = performance.now() + 200;
    while (performance.now() < busyUntil);
    expect(await call).toEqual([undefined]);
  });
}
