import { randomBytes } from "node:crypto";
import { interleaved, wallTime } from "../interleaved.js";
import { file } from "./file.js";
import { glide } from "./glide.js";
import { memcached } from "./memcached.js";
import { mongodb } from "./mongodb.js";
import { mysql } from "./mysql.js";
import { postgres } from "./postgres.js";
import { redis } from "./redis.js";
import { sqlite } from "./sqlite.js";
import type { StartedSubject, StorageSubject } from "./subject.js";

/**
 * Measures each storage beside its bare client with the same work: throughput as a ratio, above 1
 * is faster than the bare client. `npm run bench:storages -- redis` measures only the named
 * storages.
 */

/** To add a storage, write a file like `redis.ts` and add its name here. */
const subjects: readonly StorageSubject[] = [file, glide, memcached, mongodb, mysql, postgres, redis, sqlite];

/** The numbers of keys in a batch, each with the smallest acceptable ratio. */
const sizes = [
  { size: 1, target: 0.6 },
  { size: 20, target: 0.8 },
  { size: 1_000, target: 0.8 },
];

const valueBytes = 200;
const ttl = 3_600_000;

/**
 * A round takes at most some tenths of a second with the slower databases, and is long enough for
 * the clock with the fast ones.
 */
const roundMilliseconds = 40;

async function measure({ storage, bare }: StartedSubject, size: number) {
  const values = Array.from({ length: size }, () => randomBytes(valueBytes));
  // Strings of equal length, different for each side: a client may cache something for a string
  // that it knows.
  const recordsOf = (side: "bare" | "ours") =>
    values.map((bytes, index) => ({ key: `${side}:${size}:${index}`, bytes, ttl }));
  const bareRecords = recordsOf("bare");
  const records = recordsOf("ours");
  const bareKeys = bareRecords.map(({ key }) => key);
  const keys = records.map(({ key }) => key);
  await bare.writeMany(bareRecords);
  await storage.writeMany(records);
  for (const found of [await bare.readMany(bareKeys), await storage.readMany(keys)]) {
    const isRight = found.every((bytes, index) => bytes && values[index]?.equals(bytes));
    if (!isRight || found.length !== size)
      throw new Error("Expected to read the written values, got others.");
  }
  return {
    read: await ratio(
      () => bare.readMany(bareKeys),
      () => storage.readMany(keys),
    ),
    write: await ratio(
      () => bare.writeMany(bareRecords),
      () => storage.writeMany(records),
    ),
  };
}

async function ratio(bare: () => Promise<unknown>, ours: () => Promise<unknown>): Promise<number> {
  const calls = await callsPerRound(bare);
  const repeated = (call: () => Promise<unknown>) => async () => {
    for (let done = 0; done < calls; done++) await call();
  };
  const [slower = Number.NaN] = await interleaved([repeated(bare), repeated(ours)], wallTime, {
    rounds: 31,
    warmup: 8,
  });
  return 1 / slower;
}

async function callsPerRound(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let calls = 0;
  for (; performance.now() - began < roundMilliseconds; calls++) await call();
  return calls;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !subjects.some((subject) => subject.name === name));
if (unknown.length > 0) {
  throw new Error(
    `No such storage: ${unknown.join(", ")}. Known: ${subjects.map(({ name }) => name).join(", ")}.`,
  );
}

console.log("Throughput as a ratio to the bare client doing the same work; in brackets what is aimed at\n");
console.log(
  `${"storage".padEnd(16)} ${"keys".padStart(6)} ${"readMany".padStart(10)} ${"writeMany".padStart(10)}`,
);
for (const subject of subjects.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
  const started = await subject.start();
  await started.storage.connect();
  for (const { size, target } of sizes) {
    const { read, write } = await measure(started, size);
    console.log(
      `${subject.name.padEnd(16)} ${String(size).padStart(6)} ${read.toFixed(2).padStart(10)} ` +
        `${write.toFixed(2).padStart(10)}   (${target})`,
    );
  }
  await started.storage.close();
  await started.stop();
}
