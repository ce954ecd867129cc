import { probe } from "../network/probe.js";
import type { ServerPlace, ServiceDefinition } from "./service-definition.js";

/**
 * Redis, or Valkey, which has the same command line and protocol. Data is appended to a file
 * without being synced, so that a killed server still has its data after a restart.
 */
export const redis: ServiceDefinition = {
  title: "Redis",
  urlVariable: "REDIS_URL",
  usualPort: 6379,
  binaries: ["redis-server", "valkey-server"],
  debianPackages: ["redis-server"],
  container: {
    image: "redis:7",
    port: 6379,
    command: (place) => ["redis-server", ...words(place)],
  },
  arguments: words,
  url: (port) => `redis://127.0.0.1:${port}`,
  // A server that still loads its data answers -LOADING.
  ready: (port, milliseconds) =>
    probe(port, milliseconds, "PING\r\n", (heard) => heard.toString("latin1").startsWith("+PONG")),
};

function words({ host, port, folder }: ServerPlace): readonly string[] {
  return [
    ...["--bind", host, "--port", String(port), "--dir", folder, "--protected-mode", "no"],
    ...["--save", "", "--appendonly", "yes", "--appendfsync", "no", "--daemonize", "no"],
  ];
}
