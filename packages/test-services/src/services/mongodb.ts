import { probe } from "../network/probe.js";
import { mongoJavaServer } from "./mongo-java-server.js";
import type { ServerPlace, ServiceDefinition } from "./service-definition.js";

/**
 * MongoDB, or {@link mongoJavaServer} if the machine does not have it: see the server's `flavour`.
 */
export const mongodb: ServiceDefinition = {
  title: "MongoDB",
  urlVariable: "MONGODB_URL",
  usualPort: 27017,
  binaries: ["mongod"],
  // Debian and Ubuntu have no package since MongoDB changed its licence.
  debianPackages: [],
  container: {
    image: "mongo:7",
    port: 27017,
    command: (place) => ["mongod", ...words(place)],
  },
  substitute: mongoJavaServer,
  arguments: (place) => [...words(place), "--dbpath", place.folder],
  url: (port) => `mongodb://127.0.0.1:${port}`,
  ready: (port, milliseconds) => probe(port, milliseconds, ping, judge),
};

/**
 * Removes expired documents every second instead of every minute, so that a test can wait for it.
 */
function words({ host, port }: ServerPlace): readonly string[] {
  return [
    ...["--bind_ip", host, "--port", String(port), "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"],
    ...["--setParameter", "ttlMonitorSleepSecs=1"],
    ...["--setParameter", "diagnosticDataCollectionEnabled=false"],
  ];
}

/**
 * `{ ping: 1, $db: "admin" }` as OP_MSG: a head of four numbers, flags, and one section of kind 0
 * with the document.
 */
const ping = message(
  Buffer.concat([Buffer.from("\x10ping\0\x01\0\0\0", "latin1"), Buffer.from("\x02$db\0\x06\0\0\0admin\0")]),
);

function message(elements: Buffer): Buffer {
  const head = Buffer.alloc(25);
  const document = 4 + elements.length + 1;
  head.writeInt32LE(21 + document, 0);
  head.writeInt32LE(1, 4);
  head.writeInt32LE(2013, 12);
  head.writeInt32LE(document, 21);
  return Buffer.concat([head, elements, Buffer.alloc(1)]);
}

/** Returns whether the answer's document has `ok: 1`, as a double. */
function judge(heard: Buffer): boolean | undefined {
  if (heard.length < 4 || heard.length < heard.readInt32LE(0)) return undefined;
  return heard.includes(Buffer.from("\x01ok\0\0\0\0\0\0\0\xf0\x3f", "latin1"));
}
