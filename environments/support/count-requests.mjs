// Preloaded into a server: says at its end how many requests it has taken.
import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";

let taken = 0;
subscribe("http.server.request.start", () => {
  taken += 1;
});
process.once("exit", () => {
  writeSync(1, `${taken} requests taken\n`);
});
