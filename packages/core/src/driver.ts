/**
 * `cacheme/driver`: what an author of a storage needs beside the contract.
 *
 * @packageDocumentation
 */
export { type Duration, milliseconds } from "./duration.js";
export {
  BatchError,
  ConfigurationError,
  isAggregate,
  isError,
  KeyError,
  StorageError,
} from "./errors.js";
export { shownKey } from "./shown-key.js";
export { Awaited } from "./storage/awaited.js";
export { backOff } from "./storage/back-off.js";
export { cutOff, noAnswer, refusedConnection, unsupportedServer } from "./storage/connect-trouble.js";
export {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
} from "./storage/connection-options.js";
export { type Generation, type Generations, generationFrom, generationText } from "./storage/generations.js";
export { KeyPattern } from "./storage/key-pattern.js";
export type { HeldLease, LeaseAnswer, LeasedRecord, LeaseRequest, Leases } from "./storage/leases.js";
export type { LocalEntry, LocalStorage } from "./storage/local-storage.js";
export { optionError, refuseUnknownOptions, shown, timerMilliseconds } from "./storage/option-checks.js";
export type {
  RemoteStorage,
  StorageCapability,
  StorageInfo,
  StoredRecord,
} from "./storage/remote-storage.js";
export { type StorageCall, StorageCalls, type StorageCallsOptions } from "./storage/storage-calls.js";
export { checkKey, checkKeys, checkKeysOf, longestStoredKey } from "./storage/stored-key.js";
export { Sweeper } from "./storage/sweeper.js";
export { tableName } from "./storage/table-name.js";
export type { Trial } from "./storage/trial.js";
export {
  clearInterval,
  clearTimeout,
  elapsed,
  nextTick,
  queueMicrotask,
  setImmediate,
  setInterval,
  setTimeout,
} from "./timers.js";
