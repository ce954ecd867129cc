/** Runs each pattern and prints what it has cost. */
import { cacheAside } from "./cache-aside.js";
import { readThrough } from "./read-through.js";
import { refreshAhead } from "./refresh-ahead.js";
import { writeAround } from "./write-around.js";
import { writeBehind } from "./write-behind.js";
import { writeThrough } from "./write-through.js";

const patterns = {
  "read-through": readThrough,
  "cache-aside": cacheAside,
  "write-through": writeThrough,
  "write-around": writeAround,
  "write-behind": writeBehind,
  "refresh-ahead": refreshAhead,
};

for (const [name, run] of Object.entries(patterns)) console.log(`${name}: ${await run()}`);
