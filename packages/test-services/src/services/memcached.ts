import { connect } from "node:tls";
import { probe } from "../network/probe.js";
import type { ServiceDefinition } from "./service-definition.js";

/** Items of up to 32 MiB, so that the server's limit is not what a test of large values meets. */
const settings = ["-U", "0", "-m", "1024", "-I", "32m", "-c", "1024"];

/** memcached. Nothing survives its end: it keeps everything in memory. */
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

/** A server that asks for a password answers with an error, and is ready all the same. */
function answers(port: number, milliseconds: number): Promise<boolean> {
  return probe(port, milliseconds, "version\r\n", (heard) =>
    /^(VERSION|CLIENT_ERROR) /.test(heard.toString("latin1")),
  );
}

/** One that was started with `--enable-ssl` hangs up on plain words. */
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
