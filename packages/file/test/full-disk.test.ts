import fs from "node:fs";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connected, entriesIn, entryOf, place } from "./place.js";

type Step = "mkdir" | "open" | "write";

/** A call of the file system that fails from now on. The ones that remove something go on. */
function fails(step: Step, code: string): { restore(): void } {
  const { open } = fs;
  const spy = vi.spyOn(fs, step);
  spy.mockImplementation(((...given: unknown[]) => {
    const isReading = step === "open" && given[1] === (fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    if (isReading) return Reflect.apply(open, fs, given);
    (given.at(-1) as (error: Error) => void)(Object.assign(new Error(`${code}: no room`), { code }));
  }) as never);
  onTestFinished(() => spy.mockRestore());
  return { restore: () => spy.mockRestore() };
}

describe.each<[Step, string]>([
  ["mkdir", "ENOSPC"],
  ["open", "ENOSPC"],
  ["write", "ENOSPC"],
  ["write", "EDQUOT"],
])("a disk that is full at %s with %s", (step, code) => {
  it("loses the generation that a bump cannot change, so that no entry of it is valid", async () => {
    const folder = place();
    const { generations } = await connected(folder);
    const [before] = await generations!.ensure(["tag"], undefined);
    const { restore } = fails(step, code);
    const [bumped] = await generations!.bump(["tag"], undefined);
    expect(bumped?.id).not.toBe(before?.id);
    expect(bumped!.at).toBeGreaterThanOrEqual(before!.at);
    expect(entriesIn(folder)).toEqual([]);
    restore();
    const [after] = await generations!.ensure(["tag"], undefined);
    expect(after?.id).not.toBe(before?.id);
  });

  it("refuses an ensure of a new generation, with what to do", async () => {
    const { generations } = await connected(place());
    fails(step, code);
    await expect(generations!.ensure(["tag"], undefined)).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringContaining("Make room"),
    });
  });
});

it("loses the generation even if another process writes the old one again meanwhile", async () => {
  const folder = place();
  const { generations } = await connected(folder);
  const [before] = await generations!.ensure(["tag"], undefined);
  const entry = entryOf(folder, "tag");
  const content = fs.readFileSync(entry);
  const { restore } = fails("mkdir", "ENOSPC");
  const { unlink } = fs;
  let restored = 0;
  // The other process had read the old one before it was removed, and its rename comes after.
  const unlinking = vi.spyOn(fs, "unlink").mockImplementation((path, done) =>
    unlink(path, (error) => {
      if (String(path) === entry && restored++ === 0) fs.writeFileSync(entry, content);
      done(error);
    }),
  );
  onTestFinished(() => unlinking.mockRestore());
  await generations!.bump(["tag"], undefined);
  expect(restored).toBe(2);
  restore();
  const [after] = await generations!.ensure(["tag"], undefined);
  expect(after?.id).not.toBe(before?.id);
});
