// Runs two instances of a NestJS application and two of a Next.js application over one Redis with a
// bus, and checks what their users see.
import assert from "node:assert/strict";
import { startDatabase } from "./database.mjs";
import { Instances } from "./instances.mjs";
import { startRedis } from "./redis-server.mjs";

const { run } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);

const database = await startDatabase();
const env = {
  ...process.env,
  NEXT_TELEMETRY_DISABLED: "1",
  DATABASE_URL: database.url,
  REDIS_URL: await startRedis(),
};
const next = "node_modules/next/dist/bin/next";

await run([process.execPath, "node_modules/typescript/bin/tsc", "-p", "nest"]);
await run([process.execPath, next, "build"], { env });

const seen = [
  await check("nestjs", ["dist/nest/src/main.js"]),
  await check("nextjs", [next, "start", "--hostname", "127.0.0.1", "--port", "0"]),
];
console.log(seen.join("; "));
process.exit();

/**
 * @param {string} name
 * @param {readonly string[]} words the program of an instance
 */
async function check(name, words) {
  const instances = new Instances([process.execPath, ...words], env);
  await instances.start();

  const reads = Array.from({ length: 40 }, (_, index) => instances.read(index % 2, name));
  assert.deepEqual(new Set(await Promise.all(reads)), new Set([0]));
  assert.equal(database.readsOf(name), 1, "expected one load for the readers of both instances");

  for (const version of [1, 2, 3, 4]) {
    const writer = version % 2;
    await instances.write(writer, name, version);
    assert.equal(await instances.read(writer, name), version);
    await instances.until(async () => (await instances.read(1 - writer, name)) === version);
  }

  const answered = await instances.restartUnderLoad(name, 5);
  await instances.end();
  return `${name}: ${answered} requests around two restarts, all answered`;
}
