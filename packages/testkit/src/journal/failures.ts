import assert from "node:assert/strict";
import { pass, until } from "../expect.js";
import { entry, everything, type JournalTrial, node, texts } from "./journal-trial.js";

/** The tests of failed and lost claims, and of dead letters. */
export const failures: Readonly<Record<string, (trial: JournalTrial) => Promise<void>>> = {
  "claims a failed record again after its delay, with its attempts": async (trial) => {
    const { journal, claim } = await claimed(trial);
    await journal.fail([{ claim, reason: "down", delay: 300 }]);
    assert.deepEqual(await journal.claim({ ...everything, ahead: 60_000 }), []);
    assert.deepEqual(texts(await journal.read(["a"])), ["1"]);
    await until(async () => {
      const [again] = await journal.claim(everything);
      if (again !== undefined) assert.equal(again.attempts, 1);
      return again !== undefined;
    }, "the record is claimed again");
  },

  "lets others claim what a dead process has claimed": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1")], 0);
    const lost = await journal.claim({ ...everything, duration: 100 });
    assert.equal(lost.length, 1);
    let taken: Awaited<ReturnType<typeof journal.claim>> = [];
    await until(async () => {
      taken = await journal.claim(everything);
      return taken.length > 0;
    }, "the claim has ended");
    const [claim] = lost;
    assert.ok(claim);
    // The dead process was only slow. Its claim is lost.
    await journal.extend(lost, 60_000);
    await journal.fail([{ claim, reason: "late", delay: undefined }]);
    await journal.complete(lost);
    assert.deepEqual(texts(await journal.read(["a"])), ["1"]);
    assert.deepEqual(await journal.counts(), [{ node, unsaved: 1, deadLetters: 0 }]);
    await journal.complete(taken);
    assert.deepEqual(await journal.counts(), []);
  },

  "keeps a claim that is extended": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1")], 0);
    const claims = await journal.claim({ ...everything, duration: 200 });
    await journal.extend(claims, 60_000);
    await pass(400);
    assert.deepEqual(await journal.claim(everything), []);
    await journal.complete(claims);
    assert.deepEqual(await journal.counts(), []);
  },

  "sets a value aside, requeues and drops it": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1"), entry("b", "2")], 0);
    const claims = await journal.claim(everything);
    await journal.fail(claims.map((claim) => ({ claim, reason: `no ${claim.key}`, delay: undefined })));
    assert.deepEqual(texts(await journal.read(["a", "b"])), [undefined, undefined]);
    assert.deepEqual(await journal.claim({ ...everything, ahead: Number.MAX_SAFE_INTEGER }), []);
    assert.deepEqual(await journal.counts(), [{ node, unsaved: 0, deadLetters: 2 }]);
    assert.equal((await journal.deadLetters(1)).length, 1);
    const letters = await journal.deadLetters(10);
    const found = letters.map(({ key, reason, attempts, bytes }) => [
      key,
      reason,
      attempts,
      ...texts([bytes]),
    ]);
    assert.deepEqual(found.toSorted(), [
      ["a", "no a", 1, "1"],
      ["b", "no b", 1, "2"],
    ]);
    for (const { at } of letters) assert.ok(Math.abs(at - Date.now()) < 60_000, `expected a time, got ${at}`);

    assert.equal(await journal.requeue(["a", "none"]), 1);
    assert.equal(await journal.requeue(["a"]), 0);
    const [again] = await journal.claim(everything);
    assert.deepEqual([again?.key, again?.attempts], ["a", 0]);
    assert.equal(await journal.drop(["a", "b"]), 1);
    assert.deepEqual(await journal.counts(), [{ node, unsaved: 1, deadLetters: 0 }]);
  },

  "replaces a dead letter by a newer value": async (trial) => {
    const { journal, claim } = await claimed(trial);
    await journal.fail([{ claim, reason: "no", delay: undefined }]);
    await journal.append([entry("a", "2")], 0);
    assert.deepEqual(await journal.deadLetters(10), []);
    const [next] = await journal.claim(everything);
    assert.deepEqual([next?.attempts, ...texts([next?.bytes])], [0, "2"]);
    assert.deepEqual(await journal.counts(), [{ node, unsaved: 1, deadLetters: 0 }]);
  },

  "says nothing about a newer value when an older one fails": async (trial) => {
    const { journal, claim } = await claimed(trial);
    await journal.append([entry("a", "2")], 0);
    await journal.fail([{ claim, reason: "no", delay: undefined }]);
    const [next] = await journal.claim(everything);
    assert.deepEqual([next?.attempts, ...texts([next?.bytes])], [0, "2"]);
  },
};

/** Appends a record, and claims it. */
async function claimed(trial: JournalTrial) {
  const journal = await trial.journal();
  await journal.append([entry("a", "1")], 0);
  const [claim] = await journal.claim(everything);
  assert.ok(claim);
  return { journal, claim };
}
