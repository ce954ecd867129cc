/**
 * The format of the records, and the commands that read and write them. `@cacheme/glide` bundles
 * this module, so that both packages share one cache. It is not published as a module of its own.
 */
export { type KeyCommand, KeyCommands, type Outcome } from "./commands.js";
export { infoOf } from "./info.js";
export type { Script } from "./scripts.js";
