/**
 * The format of the records, and the commands that read and write them. `@cacheme/glide` bundles
 * this module, so that both packages share one cache. It is not published as a module of its own.
 */
export {
  acquireCommands,
  fillCommands,
  generationCommands,
  type KeyCommand,
  leaseAnswers,
  releaseCommands,
  writeCommands,
} from "./commands.js";
export { infoOf } from "./info.js";
export { bytesOf, inDoubt } from "./record.js";
export { bumpGeneration, ensureGeneration, readInDoubt, Script } from "./scripts.js";
