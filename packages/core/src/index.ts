export type { KeepAwake } from "./background.js";
export type { Bus, BusConnection, BusReceiver, BusSpace } from "./bus/bus.js";
export type { RegisterBusOptions } from "./bus/bus-options.js";
export type { BusStatus } from "./bus/bus-status.js";
export { type MemoryBus, type MemoryBusOptions, memoryBus } from "./bus/memory-bus.js";
export { type ProcessBusOptions, processBus } from "./bus/process-bus.js";
export { CachedError, type ErrorForm } from "./cached-error.js";
export { Cacheme } from "./cacheme.js";
export type { CachemeOptions } from "./cacheme-options.js";
export type { CancelTimer, Clock, TimerOptions } from "./clock.js";
export { systemClock } from "./clock.js";
export {
  afterCommit,
  busStatus,
  clear,
  close,
  defineScopes,
  expire,
  explain,
  flush,
  get,
  getAll,
  getAllSettled,
  getSync,
  invalidate,
  invalidateAll,
  invalidateMatching,
  invalidateScope,
  invalidateSoon,
  invalidateTags,
  journals,
  memoize,
  memoized,
  memoizeSync,
  nodes,
  on,
  peek,
  peekAll,
  peekLocal,
  provide,
  refresh,
  registerBus,
  registerJournal,
  registerStorage,
  relate,
  requestScope,
  reset,
  save,
  saveAll,
  set,
  setAll,
  setBackground,
  setPrefix,
  stats,
  storages,
  suggestions,
  touch,
  warm,
  warmOnSchedule,
  withScope,
} from "./default.js";
export {
  type DefinedEntry,
  type DefinedNode,
  defineNode,
  type FactoryOf,
  type NodeDefinition,
  type NodeFactory,
  type SynchronousDefinedNode,
} from "./define-node.js";
export type { ConnectionOptions } from "./driver/connection-options.js";
export { type Duration, milliseconds } from "./duration.js";
export type { Cached, Entry } from "./entry/entry.js";
export {
  BatchError,
  CachemeError,
  type CachemeErrorCode,
  type CachemeErrorDetails,
  ConfigurationError,
  IncompleteError,
  KeyError,
  LoadCycleError,
  LoadError,
  SaveError,
  SerializationError,
  StorageError,
  type StorageErrorDetails,
} from "./errors.js";
export type {
  BreakerState,
  BusDropReason,
  CachemeEvents,
  CachemeListener,
  JournalOperation,
  NodeEvent,
  StorageOperation,
  UnreadableFault,
} from "./events.js";
export type * from "./journal/journal.js";
export { memoryJournal } from "./journal/memory-journal.js";
export type { Memoized, MemoizedMembers, MemoizedSync } from "./memoize/memoize.js";
export type { MemoizedOptions, MethodMemoizer } from "./memoize/memoized.js";
export type * from "./memoize/signature.js";
export type { DoorkeeperOptions } from "./node/doorkeeper.js";
export type { NodeMeta, WhenBusDown } from "./node/meta.js";
export {
  type LoadAll,
  type LoadAllContext,
  type LoadContext,
  Node,
  type NodeClass,
  type Scope,
} from "./node/node.js";
export type * from "./node/options.js";
export type { CachesPolicy, CacheTier } from "./node/policy/caches.js";
export type { Migrate } from "./node/policy/checking.js";
export type { ConditionalPolicy } from "./node/policy/conditional.js";
export type { ErrorTtl, ErrorTtlPolicy } from "./node/policy/error-ttl.js";
export type { IdlePolicy } from "./node/policy/idle.js";
export type { LoadTimeoutPolicy, LoadTimeouts } from "./node/policy/load-timeout.js";
export type { LearnOptions, PrefetchOptions, PrefetchPolicy } from "./node/policy/prefetch.js";
export type { RefreshAheadOptions, RefreshAheadPolicy } from "./node/policy/refresh-ahead.js";
export { perRequest, type RequestTier } from "./node/policy/request-tier.js";
export type { RetentionPolicy, ShouldCache, ValueTtl } from "./node/policy/retention.js";
export type { RetryOptions, RetryPolicy } from "./node/policy/retry.js";
export type { SchemaPolicy } from "./node/policy/schema.js";
export type { StalePolicy } from "./node/policy/stale-policy.js";
export type { StandardIssue, StandardResult, StandardSchema } from "./node/policy/standard-schema.js";
export type { WriteMode, WritePolicy } from "./node/policy/write.js";
export type { LoadSurroundings, Reads, Token } from "./node/reads.js";
export type { Register, StorageName } from "./node/register.js";
export type { SaveAll, SaveContext, SavedEntry } from "./node/saves.js";
export type { Asynchronous, MaybePromise, SynchronousNode, ValueOf } from "./node/value-of.js";
export type { RelatedRead, RelatedRule } from "./prefetch/related-rules.js";
export type { Explanation, TierExplanation, TierVerdict } from "./read/explanation.js";
export type { RequestEnd, RequestScopeOptions } from "./request/request-scope.js";
export type { UsedNode } from "./runtime/class-runtimes.js";
export type { FlightState } from "./runtime/flight-state.js";
export type { Suggestion } from "./runtime/learned-reads.js";
export type { FlushOptions } from "./saving-space.js";
export { type CompressionOptions, compressed } from "./serializer/compressed.js";
export { encrypted } from "./serializer/encrypted.js";
export { json } from "./serializer/json.js";
export { msgpack } from "./serializer/msgpack.js";
export type { KeyOptions, SecretKey, SecretKeyObject } from "./serializer/secret-key.js";
export type {
  Compression,
  CompressionAlgorithm,
  Serializer,
  SerializerContext,
} from "./serializer/serializer.js";
export { signed } from "./serializer/signed.js";
export { v8 } from "./serializer/v8.js";
export { type SerializerOptions, type ValueType, valueType } from "./serializer/value-type.js";
export type { SnapshotFault, SnapshotReport } from "./snapshot-report.js";
export type { ClearOptions } from "./space.js";
export type { LoadTimes, Stats } from "./stats/node-stats.js";
export type { Generation, Generations } from "./storage/generations.js";
export { KeyPattern } from "./storage/key-pattern.js";
export type * from "./storage/leases.js";
export type {
  LocalSnapshot,
  SnapshotHost,
  SnapshotOwner,
  SnapshotTags,
  TagWatcher,
} from "./storage/local-snapshot.js";
export type { HeldGeneration, LocalEntry, LocalRecord, LocalStorage } from "./storage/local-storage.js";
export type * from "./storage/remote-storage.js";
export { memory } from "./storages/memory.js";
export type { MemoryOptions } from "./storages/memory-options.js";
export { nullStorage } from "./storages/null-storage.js";
export { replicated } from "./storages/replicated.js";
export type { Shard } from "./storages/sharded/shard.js";
export { type ShardedStorage, sharded } from "./storages/sharded/sharded.js";
export type { SavingStorage } from "./storages/snapshot/saving-storage.js";
export type { SnapshotOptions } from "./storages/snapshot/snapshot-options.js";
export { registerScheme, type StorageFactory } from "./tiers/by-url.js";
export type { BreakerOptions, GuardOptions } from "./tiers/guarded/guard-options.js";
export type { StorageStatus } from "./tiers/registered.js";
export type { RegisterOptions } from "./tiers/registry.js";
export type { WarmScheduleOptions } from "./warm/schedule-options.js";
export type { WarmSchedule, WarmScheduleStatus } from "./warm/schedule-status.js";
export type { WarmFailure } from "./warm/warm-batch.js";
export type { WarmOptions, WarmProgress } from "./warm/warm-options.js";
export type { Warmable, WarmReport } from "./warm/warm-report.js";
export type { MatchingOptions } from "./write/invalidate-matching.js";
export type { RegisterJournalOptions } from "./write/write-behind/journal-options.js";
export type {
  DeadLetter,
  FlushResult,
  JournalStatus,
  RegisteredJournal,
} from "./write/write-behind/registered-journal.js";
