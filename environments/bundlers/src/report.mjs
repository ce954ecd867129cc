// Reads the values of a class and a definition, over memory and the given folder. Prints them and
// the number of loads.
import { inspect } from "node:util";
import { file } from "@cacheme/file";
import { redis } from "@cacheme/redis";
import {
  CachemeError,
  compressed,
  defineNode,
  get,
  memory,
  msgpack,
  Node,
  peek,
  registerStorage,
} from "cacheme";

let loads = 0;

class ReportNode extends Node {
  static meta = {
    name: "report",
    caches: [{ storage: "local", ttl: "1m" }, { storage: "files" }],
    serializer: msgpack(),
  };

  key() {
    return "1";
  }

  load() {
    loads++;
    const error = new RangeError("too far", { cause: "a test" });
    error.stack = "RangeError: too far";
    return { error, seen: new Map([[1n, new Date(0)]]), missing: undefined };
  }
}

const pageOf = defineNode({
  name: "page",
  caches: [{ storage: "files" }],
  serializer: compressed(msgpack()),
  key: (name) => name,
  load: (name) => {
    loads++;
    return `${name} `.repeat(2_000);
  },
});

async function main() {
  const [folder] = process.argv.slice(2);
  await registerStorage("local", memory());
  await registerStorage("files", file(folder));

  const report = await get(new ReportNode());
  const page = await get(pageOf("home"));
  const { origin } = await peek(new ReportNode());
  // No server listens there: the error shows that ioredis was loaded.
  const unreached = await registerStorage("far", redis("redis://127.0.0.1:1")).catch((error) => error);
  const refusal = await registerStorage("redis", "redis://127.0.0.1:1").catch((error) => error);

  process.stdout.write(
    JSON.stringify({
      report: inspect(report),
      isError: report.error instanceof RangeError,
      page: page.length,
      origin,
      loads,
      unreached: unreached.code,
      refused: refusal instanceof CachemeError && refusal.code,
      advice: refusal.message,
    }),
  );
}

void main();
