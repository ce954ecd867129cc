import type { Server } from "@cacheme/test-services";
import type { RemoteStorage } from "cacheme";
import pg from "pg";
import { onTestFinished } from "vitest";
import { postgres } from "../src/index.js";
import type { PostgresConnectionOptions, PostgresStorageOptions } from "../src/options.js";

/** A storage that is closed when the test has ended. */
export async function connected(
  target: Parameters<typeof postgres>[0],
  options: PostgresStorageOptions = {},
): Promise<RemoteStorage> {
  const storage = postgres(target, options);
  onTestFinished(() => storage.close());
  await storage.connect();
  return storage;
}

/** A connection of the test's own, to see what is in the table and to stand in the way. */
export async function observer(server: Server): Promise<pg.Client> {
  const client = new pg.Client(server.url);
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** The server's address as options. */
export function parts(server: Server): PostgresConnectionOptions {
  const { hostname, port, username, password, pathname } = new URL(server.url);
  return { host: hostname, port: Number(port), user: username, password, database: pathname.slice(1) };
}

export function record(key: string, value: string, ttl: number | undefined = 60_000) {
  return { key, bytes: Buffer.from(value), ttl };
}

export async function texts(storage: RemoteStorage, ...keys: string[]): Promise<(string | undefined)[]> {
  return (await storage.readMany(keys)).map((bytes) => bytes && Buffer.from(bytes).toString());
}

/** Waits for a server to come to something; the test's own time limit bounds it. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
