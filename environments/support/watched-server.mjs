// Preloaded into a server: says at its end how many requests it has taken, and lets it wait long for clients that keep their
// connections, so that no check passes because of Node's five seconds.
import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";

let taken = 0;
subscribe("http.server.request.start", ({ server }) => {
  taken += 1;
  server.keepAliveTimeout = 600_000;
});
process.once("exit", () => {
  writeSync(1, `${taken} requests taken\n`);
});
