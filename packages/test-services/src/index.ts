export type { ServiceName } from "./catalogue.js";
export { bundleProgram, type Program } from "./program.js";
export type { ServerProxy } from "./proxy.js";
export { openProxy } from "./proxy.js";
export { type RedisCluster, startRedisCluster } from "./redis-cluster.js";
export { type RedisSentinel, startRedisSentinel } from "./redis-sentinel.js";
export { flavour, type Server, type ServerOptions, type Service, server, service } from "./service.js";
export { noteSkip, readSkips, type Skip } from "./skips.js";
