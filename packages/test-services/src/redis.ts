import { connect } from "node:net";
import type { ServiceDefinition } from "./service-definition.js";

/**
 * Redis, or Valkey, which takes the same command line and speaks the same protocol. Data is appended to a file without
 * being synced, so that a killed server comes back with its data, as servers of users do.
 */
export const redis: ServiceDefinition = {
  title: "Redis",
  urlVariable: "REDIS_URL",
  binaries: ["redis-server", "valkey-server"],
  debianPackage: "redis-server",
  image: "redis:7",
  containerPort: 6379,
  arguments: ({ host, port, folder }) => [
    ...["--bind", host, "--port", String(port), "--dir", folder, "--protected-mode", "no"],
    ...["--save", "", "--appendonly", "yes", "--appendfsync", "no", "--daemonize", "no"],
  ],
  url: (port) => `redis://127.0.0.1:${port}`,
  ready: ping,
};

/** A server that still loads its data answers `-LOADING`: it is not ready. */
function ping(port: number, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(milliseconds, () => settle(false));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
    socket.once("data", (reply) => settle(reply.toString("latin1").startsWith("+PONG")));
    socket.write("PING\r\n");
  });
}
