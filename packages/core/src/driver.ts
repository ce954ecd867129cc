/**
 * `cacheme/driver`: the functions that an author of a storage needs beside the contract.
 *
 * @packageDocumentation
 */

export type { Bus, BusConnection, BusReceiver, BusSpace } from "./bus/bus.js";
export { type Address, parseAddress, type ServerPlace, serverName } from "./driver/address.js";
export { backOff } from "./driver/back-off.js";
export {
  type ConnectAdvice,
  connectError,
  cutOff,
  noAnswer,
  refusedConnection,
  unsupportedServer,
} from "./driver/connect-trouble.js";
export {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
} from "./driver/connection-options.js";
export { Deferred } from "./driver/deferred.js";
export type {
  Acquisition,
  Driver,
  DriverErrors,
  DriverTrial,
  Made,
  NewGeneration,
  ScanPage,
} from "./driver/driver.js";
export { type DriverSettings, DriverStorage } from "./driver/driver-storage.js";
export { codeOf } from "./driver/error-code.js";
export { type ErrorCodes, type ErrorTable, errorTable } from "./driver/error-table.js";
export { KeyFailures } from "./driver/failed-keys.js";
export { type KeyPage, keyPages } from "./driver/key-pages.js";
export { refusedLease } from "./driver/lease-answer.js";
export { type LocalPathForms, LocalPaths } from "./driver/local-paths.js";
export { LongKeys, type TableRow } from "./driver/long-keys.js";
export { lastingTtl, nextGeneration } from "./driver/next-generation.js";
export { type OpeningBus, openBus } from "./driver/open-bus.js";
export {
  flag,
  invalidOption,
  type OptionKind,
  type OptionPlace,
  oneOf,
  optionKind,
  port,
  tableOption,
  timer,
  wholeNumber,
} from "./driver/option-kinds.js";
export {
  type Checked,
  connectionRows,
  type OptionRow,
  type OptionRows,
  OptionTable,
  rowsOf,
} from "./driver/option-table.js";
export { ownBytes } from "./driver/own-bytes.js";
export { type ConnectionPool, type LendingCall, openingCall, PoolLender } from "./driver/pool-lender.js";
export { Reconnector, type ReconnectorOptions } from "./driver/reconnector.js";
export { RecordTooLarge } from "./driver/record-limits.js";
export { type Member, Rendezvous } from "./driver/rendezvous.js";
export { resetSocket } from "./driver/reset-socket.js";
export { SizeBound, sweepOf, type WrittenRows } from "./driver/size-bound.js";
export { type StorageCall, StorageCalls, type StorageCallsOptions } from "./driver/storage-calls.js";
export { Sweeper } from "./driver/sweeper.js";
export { type AnswerRows, type KeyRange, type Table, tableDriver } from "./driver/table-driver.js";
export { tableName } from "./driver/table-name.js";
export { type TableOptions, tableRows } from "./driver/table-options.js";
export { ensureTable, quotedName, type TableSettings, type TableSetup } from "./driver/table-setup.js";
export type { Trial } from "./driver/trial.js";
export { oneAtATime, pause, within } from "./driver/waiting.js";
export { wholeMilliseconds } from "./driver/whole-milliseconds.js";
export { type Duration, milliseconds } from "./duration.js";
export {
  asError,
  BatchError,
  ConfigurationError,
  isAggregate,
  isError,
  KeyError,
  StorageError,
  sentence,
} from "./errors.js";
export type * from "./journal/journal.js";
export { JournalTable } from "./journal/memory-journal.js";
export { optionError, refuseUnknownOptions, shown, timerMilliseconds } from "./option-checks.js";
export { shownKey } from "./shown-key.js";
export { type Generation, type Generations, generationFrom, generationText } from "./storage/generations.js";
export { KeyPattern } from "./storage/key-pattern.js";
export type * from "./storage/leases.js";
export type { LocalEntry, LocalStorage } from "./storage/local-storage.js";
export type * from "./storage/remote-storage.js";
export { checkKey, checkKeys, checkKeysOf, longestStoredKey } from "./storage/stored-key.js";
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
