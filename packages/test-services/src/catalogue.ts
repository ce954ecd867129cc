import { redis } from "./redis.js";
import type { ServiceDefinition } from "./service-definition.js";

/** Every service that a test may ask for. A new one is a file like `redis.ts` and a line here. */
export const catalogue: { readonly redis: ServiceDefinition } = { redis };

export type ServiceName = keyof typeof catalogue;
