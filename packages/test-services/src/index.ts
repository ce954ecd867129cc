export type { ServerProxy } from "./network/proxy.js";
export { openProxy } from "./network/proxy.js";
export { bundleProgram, type Program } from "./program.js";
export { startPgBouncer } from "./run/pgbouncer.js";
export { type RedisCluster, startRedisCluster } from "./run/redis-cluster.js";
export { type RedisSentinel, startRedisSentinel } from "./run/redis-sentinel.js";
export { flavour, type Server, type ServerOptions, type Service, server, service } from "./run/service.js";
export type { ServiceName } from "./services/catalogue.js";
export { noteSkip, readSkips, type Skip } from "./skips.js";
