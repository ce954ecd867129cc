// A module that is preloaded into a server. It prints the number of accepted requests at the end.
// It makes the server wait long for clients that keep connections, so that no check passes because
// of Node's five seconds.
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
