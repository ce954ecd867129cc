import { expect, it } from "vitest";
import type { Place } from "../src/client.js";
import { CollectionCall } from "../src/collection-call.js";
import { ServerClock } from "../src/server-clock.js";
import { writeErrorsOf } from "../src/trouble.js";

/** Returns the error of the package mongodb for refused statements at these places. */
function refused(code: number, ...places: number[]): Error {
  const writeErrors = places.map((index) => ({ index, code, errmsg: "refused" }));
  return Object.assign(new Error("refused"), { name: "MongoBulkWriteError", writeErrors });
}

it("never reports places of a batch that was sent again as places of the whole", async () => {
  const errors = [refused(11000, 2), refused(11000, 0)];
  const place = { database: {}, collection: { bulkWrite: () => Promise.reject(errors.shift()) } };
  const call = new CollectionCall(place as unknown as Place, new ServerClock(), {
    signal: new AbortController().signal,
  });
  const statements = ["a", "b", "c"].map((_id) => ({
    updateOne: { filter: { _id }, update: {}, upsert: true },
  }));
  const outcome: unknown = await call.upsert(statements, () => true).catch((error: unknown) => error);
  expect(outcome).toMatchObject({ message: "refused" });
  expect(writeErrorsOf(outcome)).toBeUndefined();
  expect(errors).toEqual([]);
});
