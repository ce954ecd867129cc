import { connect } from "node:tls";
import { probe } from "../network/probe.js";
import type { ServiceDefinition } from "./service-definition.js";

/**
 * Allows items of up to 32 MiB, so that tests with large values do not reach the server's limit.
 */
const settings = ["-U", "0", "-m", "1024", "-I", "32m", "-c", "1024"];

/** memcached. It keeps everything in memory, so a restart loses all data. */
export const memcached: ServiceDefinition = {
  title: "memcached",
  urlVariable: "MEMCACHED_URL",
  usualPort: 11211,
  binaries: ["memcached"],
  debianPackages: ["memcached"],
  container: {
    image: "memcached:1.6",
    port: 11211,
    command: () => ["memcached", ...settings],
  },
  refusesRoot: true,
  arguments: ({ host, port }) => ["-l", host, "-p", String(port), ...settings],
  url: (port) => `memcached://127.0.0.1:${port}`,
  ready: async (port, milliseconds) =>
    (await answers(port, milliseconds)) || (await shakesHands(port, milliseconds)),
};

/**
 * Returns whether the server answers in plain text. A server with a password answers with an error,
 * and is ready too.
 */
function answers(port: number, milliseconds: number): Promise<boolean> {
  return probe(port, milliseconds, "version\r\n", (heard) =>
    /^(VERSION|CLIENT_ERROR) /.test(heard.toString("latin1")),
  );
}

/** Returns whether the server accepts TLS. With `--enable-ssl` it hangs up on plain text. */
function shakesHands(port: number, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    const settle = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(milliseconds, () => settle(false));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
    socket.once("secureConnect", () => settle(true));
  });
}
