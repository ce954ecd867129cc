import { expect, it } from "vitest";
import { type Cleanup, until } from "../network/cleanup.js";
import type { Server } from "../run/service.js";
import { type BusLike, type ConnectionLike, type Joined, joined, Recorder } from "./receiver.js";

/** A bus over a server. */
export interface TestedBus {
  server(): Server;
  /** Makes a bus on a channel that no other test uses. */
  bus(url: string, options?: { readonly connect: "lazy" }): BusLike;
  readonly closing: Cleanup["closing"];
}

/** Describes what a bus does while its server is away. */
export function testBusTrouble({ server, bus, closing }: TestedBus): void {
  it("reports a loss and a new subscription when the server is killed and started again", async () => {
    const { recorder, connection } = await member(bus(server().url), closing);
    await server().kill();
    await until(() => recorder.count("lost") > 0);
    await expect(connection.publish(["a"])).rejects.toThrow();
    await server().restart();
    await until(() => recorder.count("subscribed") === 2);
    await untilHeard({ recorder, connection }, "b");
    expect(recorder.reports).not.toContain("a");
  });

  it("waits for no server if it connects lazily", async () => {
    const proxy = await server().proxy();
    await proxy.refuse();
    const { recorder, connection } = await member(bus(proxy.url, { connect: "lazy" }), closing);
    await expect(connection.publish(["a"])).rejects.toThrow();
    await proxy.heal();
    await until(() => recorder.count("subscribed") === 1);
  });
}

/** Joins a bus until the end of the test. */
export async function member<C extends ConnectionLike>(
  bus: BusLike<C>,
  closing: Cleanup["closing"],
): Promise<Joined<C>> {
  const one = await joined(bus);
  closing(one.connection);
  return one;
}

/** Publishes a message until it comes back. */
export async function untilHeard({ recorder, connection }: Joined, message: string): Promise<void> {
  await until(async () => {
    await connection.publish([message]);
    return recorder.reports.includes(message);
  });
}

/** Asserts that a message is given up in time. */
export async function expectGivenUp(connection: ConnectionLike): Promise<void> {
  const began = performance.now();
  await expect(connection.publish(["a"])).rejects.toThrow("no answer");
  expect(performance.now() - began).toBeLessThan(2000);
}

/** Returns the error of a bus that cannot be joined. */
export async function refused(bus: BusLike): Promise<unknown> {
  const error: unknown = await bus.connect(new Recorder(), { prefix: "cacheme" }).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: "StorageError" });
  return error;
}
