import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { pass, readTexts, record } from "../expect.js";

const operations = 10_000;
const atOnce = 50;

/** Many concurrent clients, and many operations. */
export const clients: Section = section(
  "clients",
  {
    "serves 50 clients that connect, write and read at once": async (trial) => {
      const storages = await Promise.all(Array.from({ length: 50 }, () => trial.unconnected()));
      await Promise.all(
        storages.map(async (storage, index) => {
          await storage.connect();
          await storage.writeMany([
            record(trial.key("shared"), `${index}`),
            record(trial.key(`${index}`), `${index}`),
          ]);
          assert.deepEqual(await readTexts(storage, trial.key(`${index}`)), [`${index}`]);
        }),
      );
      const [shared] = await readTexts(trial.storage, trial.key("shared"));
      assert.ok(Number(shared) >= 0 && Number(shared) < 50);
    },

    "accepts concurrent batches with the same keys in different orders": async (trial) => {
      const storages = await Promise.all(Array.from({ length: 5 }, () => trial.connected()));
      const keys = Array.from({ length: 40 }, (_, index) => trial.key(`${index}`));
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const turned = [...keys.slice(index % 40), ...keys.slice(0, index % 40)];
          const storage = storages[index % 5] ?? trial.storage;
          await storage.writeMany(
            (index % 2 ? turned : turned.toReversed()).map((key) => record(key, `${index}`)),
          );
          if (index % 7 === 0) await storage.removeMany(turned.slice(0, 10));
        }),
      );
      await trial.storage.writeMany(keys.map((key) => record(key, "last")));
      assert.deepEqual(
        await readTexts(trial.storage, ...keys),
        keys.map(() => "last"),
      );
    },

    "leaks no listeners, timers or sockets in 10,000 operations": async (trial) => {
      const warnings: Error[] = [];
      const onWarning = (warning: Error): void => void warnings.push(warning);
      process.on("warning", onWarning);
      trial.after(async () => void process.off("warning", onWarning));
      const storage = await trial.connected();
      const run = async (count: number): Promise<void> => {
        for (let done = 0; done < count; done += atOnce) {
          await Promise.all(
            Array.from({ length: atOnce }, async (_, index) => {
              const key = trial.key(`${(done + index) % 100}`);
              if (index % 3 === 0) await storage.writeMany([record(key, "value")]);
              else if (index % 3 === 1) await storage.readMany([key]);
              else await storage.removeMany([key]);
            }),
          );
        }
      };
      await run(500);
      await pass(100);
      const before = { listeners: listenerCount(), resources: process.getActiveResourcesInfo().length };
      await run(operations);
      await pass(100);
      const after = { listeners: listenerCount(), resources: process.getActiveResourcesInfo().length };
      assert.deepEqual(
        warnings.filter(({ name }) => name === "MaxListenersExceededWarning"),
        [],
      );
      assert.ok(
        after.listeners <= before.listeners + 5,
        `expected about ${before.listeners} listeners, got ${after.listeners}`,
      );
      assert.ok(
        after.resources <= before.resources + 20,
        `expected about ${before.resources} active resources, got ${after.resources}`,
      );
    },
  },
  120_000,
);

function listenerCount(): number {
  return process.eventNames().reduce((sum, event) => sum + process.listenerCount(event), 0);
}
