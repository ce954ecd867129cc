import { expect, it } from "vitest";
import { Answer } from "../src/answers.js";
import type { Client } from "../src/client.js";
import { touch } from "../src/touches.js";

type Call = Parameters<typeof touch>[2];

function answer(code: string, parts: Partial<Answer> = {}): Answer {
  return Object.assign(new Answer(code), parts);
}

/** A client whose server has the items "a", "b" and "c", and gives these answers to the moves of their ends. */
function clientOf(moves: readonly Answer[]): Client {
  const item = answer("HD", { flags: 11, size: 5, left: 10 });
  const server = { now: () => 0, get: async () => [item, item, item], send: async () => moves };
  const part = { server, places: [0, 1, 2], names: ["a", "b", "c"] };
  return { eachUp: (_: unknown, __: unknown, act: (of: typeof part) => Promise<void>) => act(part) } as never;
}

const touches = ["a", "b", "c"].map((key) => ({ key, ttl: 60_000 }));
const moved = answer("HD");

it("a touch tells of an item that was removed since it was looked at", async () => {
  const call = {} as Call;
  expect(await touch(clientOf([moved, moved, moved]), touches, call)).toEqual([true, true, true]);
  expect(await touch(clientOf([moved, answer("EN"), moved]), touches, call)).toEqual([true, false, true]);
});

it("a touch rejects if the server refuses any of its items, not only the first", async () => {
  const refused = answer("SERVER_ERROR out of memory");
  await expect(touch(clientOf([moved, moved, refused]), touches, {} as Call)).rejects.toThrow(
    "out of memory",
  );
});
