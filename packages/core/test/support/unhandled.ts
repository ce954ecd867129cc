import { afterEach, beforeEach, expect } from "vitest";
import { settled } from "./deferred.js";

/** Fails each test of the file that leaves a rejection unhandled or an exception uncaught. */
export function expectNothingUnhandled(): void {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);

  beforeEach(() => {
    unhandled.length = 0;
    process.on("unhandledRejection", note);
    process.on("uncaughtException", note);
  });

  afterEach(async () => {
    await settled();
    process.off("unhandledRejection", note);
    process.off("uncaughtException", note);
    expect(unhandled).toEqual([]);
  });
}
