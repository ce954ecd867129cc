import { mysql } from "./mariadb.js";
import { memcached } from "./memcached.js";
import { mongodb } from "./mongodb.js";
import { pgbouncer } from "./pgbouncer.js";
import { postgres } from "./postgres.js";
import { redis } from "./redis.js";
import type { ServiceDefinition } from "./service-definition.js";

/** All services for tests. A new service is a file like `redis.ts` and a line here. */
export const catalogue: {
  readonly redis: ServiceDefinition;
  readonly postgres: ServiceDefinition;
  readonly pgbouncer: ServiceDefinition;
  readonly mysql: ServiceDefinition;
  readonly memcached: ServiceDefinition;
  readonly mongodb: ServiceDefinition;
} = { redis, postgres, pgbouncer, mysql, memcached, mongodb };

export type ServiceName = keyof typeof catalogue;
