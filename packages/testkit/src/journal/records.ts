import assert from "node:assert/strict";
import { entry, everything, type JournalTrial, node, texts } from "./journal-trial.js";

/** The tests of records and claims. */
export const records: Readonly<Record<string, (trial: JournalTrial) => Promise<void>>> = {
  "holds the newest value of each key": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1"), entry("b", "2")], 0);
    await journal.append([entry("a", "3")], 0);
    assert.deepEqual(texts(await journal.read(["b", "none", "a"])), ["2", undefined, "3"]);
    assert.deepEqual(await journal.counts(), [{ node, unsaved: 2, deadLetters: 0 }]);
  },

  "takes any bytes and any keys": async (trial) => {
    const journal = await trial.journal();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const keys = ["with space", "ключ:é:'\"\\%_*", "x".repeat(1_000)];
    await journal.append(
      [...keys.map((key) => ({ key, node, bytes })), { key: "big", node, bytes: Buffer.alloc(1_000_000, 7) }],
      0,
    );
    for (const found of await journal.read(keys)) assert.deepEqual(found && Buffer.from(found), bytes);
    const claims = await journal.claim(everything);
    assert.deepEqual(claims.map(({ key }) => key).toSorted(), [...keys, "big"].toSorted());
    assert.equal(claims.find(({ key }) => key === "big")?.bytes.byteLength, 1_000_000);
    await journal.complete(claims);
    assert.deepEqual(await journal.counts(), []);
  },

  "claims what is due, each record once": async (trial) => {
    const [one, other] = [await trial.journal(), await trial.journal()];
    await one.append([entry("due", "1")], 0);
    await one.append([entry("later", "2")], 60_000);
    const claims = await one.claim(everything);
    assert.deepEqual(
      claims.map(({ key, bytes, attempts }) => [key, Buffer.from(bytes).toString(), attempts]),
      [["due", "1", 0]],
    );
    assert.deepEqual(await one.claim(everything), []);
    if (one.isShared) assert.deepEqual(await other.claim(everything), []);
  },

  "claims what is due within the time ahead": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("later", "2")], 60_000);
    assert.deepEqual(await journal.claim({ ...everything, ahead: 30_000 }), []);
    const claims = await journal.claim({ ...everything, ahead: Number.MAX_SAFE_INTEGER });
    assert.deepEqual(
      claims.map(({ key }) => key),
      ["later"],
    );
  },

  "keeps a key due that is saved again and again": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1")], 0);
    await journal.append([entry("a", "2")], 60_000);
    const claims = await journal.claim(everything);
    assert.deepEqual(
      claims.map(({ bytes }) => Buffer.from(bytes).toString()),
      ["2"],
    );
  },

  "claims at most so many records, of the given classes": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1"), entry("b", "2", "order:3"), entry("c", "3")], 0);
    assert.deepEqual(await journal.claim({ ...everything, nodes: ["other:1"] }), []);
    const first = await journal.claim({ ...everything, count: 1 });
    const second = await journal.claim({ ...everything, nodes: [node, "order:3", "other:1"] });
    assert.equal(first.length, 1);
    assert.deepEqual([...first, ...second].map(({ key }) => key).toSorted(), ["a", "b", "c"]);
    const counts = await journal.counts();
    assert.deepEqual(
      counts.toSorted((one, other) => one.node.localeCompare(other.node)),
      [
        { node: "order:3", unsaved: 1, deadLetters: 0 },
        { node, unsaved: 2, deadLetters: 0 },
      ],
    );
  },

  "removes completed records": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1"), entry("b", "2")], 0);
    const claims = await journal.claim(everything);
    assert.deepEqual(texts(await journal.read(["a", "b"])), ["1", "2"]);
    await journal.complete(claims);
    assert.deepEqual(texts(await journal.read(["a", "b"])), [undefined, undefined]);
    assert.deepEqual(await journal.counts(), []);
  },

  "keeps a value that came while an older one was written, and claims it afterwards": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1")], 0);
    const claims = await journal.claim(everything);
    await journal.append([entry("a", "2")], 0);
    assert.deepEqual(await journal.claim(everything), []);
    await journal.complete(claims);
    assert.deepEqual(texts(await journal.read(["a"])), ["2"]);
    const [next] = await journal.claim(everything);
    assert.equal(next && Buffer.from(next.bytes).toString(), "2");
    assert.equal(next?.attempts, 0);
  },

  "shares its records between all who claim at once": async (trial) => {
    const journals = [await trial.journal()];
    if (journals[0]?.isShared) journals.push(await trial.journal(), await trial.journal());
    const count = 500;
    const [first] = journals;
    await first?.append(
      Array.from({ length: count }, (_, index) => entry(`key${index}`, `${index}`)),
      0,
    );
    const claimed = await Promise.all(
      journals.map(async (journal) => {
        const own: string[] = [];
        for (;;) {
          const claims = await journal.claim({ ...everything, count: 40 });
          if (claims.length === 0) return own;
          own.push(...claims.map(({ key }) => key));
        }
      }),
    );
    assert.equal(claimed.flat().length, count);
    assert.equal(new Set(claimed.flat()).size, count);
  },

  "does nothing for empty lists": async (trial) => {
    const journal = await trial.journal();
    await journal.append([], 0);
    await journal.extend([], 1);
    await journal.complete([]);
    await journal.fail([]);
    assert.deepEqual(await journal.read([]), []);
    assert.deepEqual(await journal.claim({ ...everything, nodes: [] }), []);
    assert.deepEqual([await journal.requeue([]), await journal.drop([])], [0, 0]);
  },

  "keeps its records beyond the end of its process, if it is durable": async (trial) => {
    const journal = await trial.journal();
    await journal.append([entry("a", "1")], 0);
    if (!journal.isDurable) return;
    await journal.close();
    const next = await trial.journal();
    assert.deepEqual(texts(await next.read(["a"])), ["1"]);
    assert.equal((await next.claim(everything)).length, 1);
  },
};
