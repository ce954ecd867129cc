import {
  type CachemeEvents,
  type CachemeListener,
  type NodeEvent,
  on,
  type StorageOperation,
  type UnreadableFault,
} from "cacheme";
import { describe, expectTypeOf, it } from "vitest";

describe("on", () => {
  it("passes a listener the event's fields", () => {
    on("hit", (event) => {
      expectTypeOf(event).toExtend<NodeEvent>();
      expectTypeOf(event.node).toEqualTypeOf<string>();
      expectTypeOf(event.key).toEqualTypeOf<string>();
      expectTypeOf(event.storage).toEqualTypeOf<string>();
      expectTypeOf(event.readers).toEqualTypeOf<number>();
    });
    on("miss", (event) => {
      expectTypeOf(event).toExtend<NodeEvent>();
      expectTypeOf(event.readers).toEqualTypeOf<number>();
      expectTypeOf(event).not.toHaveProperty("storage");
    });
    on("load", (event) => {
      expectTypeOf(event.node).toEqualTypeOf<string>();
      expectTypeOf(event.keys).toEqualTypeOf<readonly string[]>();
      expectTypeOf(event.duration).toEqualTypeOf<number>();
      expectTypeOf(event).not.toHaveProperty("error");
    });
    on("loadError", (event) => {
      expectTypeOf(event.keys).toEqualTypeOf<readonly string[]>();
      expectTypeOf(event.error).toEqualTypeOf<unknown>();
    });
    on("notStored", (event) => {
      expectTypeOf(event).toExtend<NodeEvent>();
      expectTypeOf(event.error).toEqualTypeOf<Error>();
    });
    on("invalidate", (event) => {
      expectTypeOf(event).toEqualTypeOf<NodeEvent>();
    });
    on("unreadable", (event) => {
      expectTypeOf(event.storageKey).toEqualTypeOf<string>();
      expectTypeOf(event.fault).toEqualTypeOf<UnreadableFault>();
      expectTypeOf(event.error).toEqualTypeOf<Error | undefined>();
    });
    on("invalidateError", (event) => {
      expectTypeOf(event).toEqualTypeOf<{ readonly error: Error }>();
    });
    on("storageError", (event) => {
      expectTypeOf(event.storage).toEqualTypeOf<string>();
      expectTypeOf(event.error).toEqualTypeOf<Error>();
      expectTypeOf(event.operation).toEqualTypeOf<StorageOperation>();
      expectTypeOf(event).not.toHaveProperty("node");
    });
    on("breaker", (event) => {
      expectTypeOf(event.storage).toEqualTypeOf<string>();
      expectTypeOf(event.state).toEqualTypeOf<"closed" | "open" | "half-open">();
      expectTypeOf(event.error).toEqualTypeOf<Error | undefined>();
    });
  });

  it("has the events that this file lists", () => {
    expectTypeOf<keyof CachemeEvents>().toEqualTypeOf<
      | "hit"
      | "errorHit"
      | "miss"
      | "load"
      | "loadError"
      | "loadRetry"
      | "prefetchError"
      | "save"
      | "saveError"
      | "journalError"
      | "deadLetter"
      | "unsavedWaiting"
      | "unsavedLeft"
      | "revalidateError"
      | "notStored"
      | "invalidate"
      | "expire"
      | "invalidateTags"
      | "invalidateError"
      | "unreadable"
      | "storageError"
      | "snapshot"
      | "snapshotError"
      | "breaker"
      | "busState"
      | "busDrop"
      | "busError"
    >();
  });

  it("returns a function that stops listening", () => {
    expectTypeOf(on("hit", () => {})).toEqualTypeOf<() => void>();
  });

  it("takes a listener that was typed elsewhere", () => {
    const listener: CachemeListener<"loadError"> = ({ error }) =>
      expectTypeOf(error).toEqualTypeOf<unknown>();
    const anyNodeEvent = (event: NodeEvent) => event.key;
    on("loadError", listener);
    on("hit", anyNodeEvent);
    on("invalidate", anyNodeEvent);
  });

  it("does not let a listener change the event", () => {
    on("load", (event) => {
      // @ts-expect-error other listeners are given the same event
      event.duration = 0;
    });
  });

  it("refuses an unknown event, and a listener of another", () => {
    // @ts-expect-error it is "hit"
    on("hits", () => {});
    // @ts-expect-error a miss has no storage
    on("miss", (event) => event.storage);
    // @ts-expect-error a storage's trouble has no node
    on("storageError", (event: NodeEvent) => event.key);
    // @ts-expect-error the listener is missing
    on("hit");
  });
});
