import { asyncCacheDedupe } from "./libraries/async-cache-dedupe.js";
import { bentocache } from "./libraries/bentocache.js";
import { cacheManager } from "./libraries/cache-manager.js";
import { cacheable } from "./libraries/cacheable.js";
import { cacheme } from "./libraries/cacheme.js";
import { cachifiedLibrary } from "./libraries/cachified.js";
import { layeredLoader } from "./libraries/layered-loader.js";
import { ocache } from "./libraries/ocache.js";
import type { Library } from "./library.js";

/** The columns of the table, in its order. */
export const libraries: readonly Library[] = [
  cacheme,
  bentocache,
  cacheable,
  cacheManager,
  asyncCacheDedupe,
  layeredLoader,
  cachifiedLibrary,
  ocache,
];
