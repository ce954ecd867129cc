import type { Row } from "./row.js";
import { changedByReader } from "./rows/changed-by-reader.js";
import { errorTtl } from "./rows/error-ttl.js";
import { failingLoad } from "./rows/failing-load.js";
import { grace } from "./rows/grace.js";
import { hitCount } from "./rows/hit-count.js";
import { invalidatedElsewhere } from "./rows/invalidated-elsewhere.js";
import { invalidatedWhileLoading } from "./rows/invalidated-while-loading.js";
import { loadOfItself } from "./rows/load-of-itself.js";
import { loadWithoutEnd } from "./rows/load-without-end.js";
import { nothing } from "./rows/nothing.js";
import { oneLoad } from "./rows/one-load.js";
import { otherInstance } from "./rows/other-instance.js";
import { readerLeaves } from "./rows/reader-leaves.js";
import { redisBack } from "./rows/redis-back.js";
import { redisCommands } from "./rows/redis-commands.js";
import { redisGone } from "./rows/redis-gone.js";
import { redisStopped } from "./rows/redis-stopped.js";
import { refreshAhead } from "./rows/refresh-ahead.js";
import { restOfTtl } from "./rows/rest-of-ttl.js";
import { roundTrips } from "./rows/round-trips.js";
import { sourceCalls } from "./rows/source-calls.js";
import { staleWhileRevalidate } from "./rows/stale-while-revalidate.js";
import { stoppedTenReads } from "./rows/stopped-ten-reads.js";
import { tags } from "./rows/tags.js";
import { ttlJitter } from "./rows/ttl-jitter.js";
import { twoProcesses } from "./rows/two-processes.js";
import { typeOfARead } from "./rows/type-of-a-read.js";
import { typesOfValues } from "./rows/types-of-values.js";

/** The tables by their titles, and in each the rows by their files' names. */
export const tables: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  Loads: {
    "one-load": oneLoad,
    "two-processes": twoProcesses,
    "failing-load": failingLoad,
    "load-without-end": loadWithoutEnd,
    "load-of-itself": loadOfItself,
    "reader-leaves": readerLeaves,
  },
  Batches: {
    "redis-commands": redisCommands,
    "round-trips": roundTrips,
    "source-calls": sourceCalls,
  },
  Invalidation: {
    "invalidated-while-loading": invalidatedWhileLoading,
    "invalidated-elsewhere": invalidatedElsewhere,
    "other-instance": otherInstance,
    tags,
    "redis-gone": redisGone,
  },
  "Redis in trouble": {
    "redis-stopped": redisStopped,
    "stopped-ten-reads": stoppedTenReads,
    "redis-back": redisBack,
  },
  Values: {
    "types-of-values": typesOfValues,
    nothing,
    "changed-by-reader": changedByReader,
    "type-of-a-read": typeOfARead,
  },
  Lifetime: {
    "rest-of-ttl": restOfTtl,
    "stale-while-revalidate": staleWhileRevalidate,
    grace,
    "refresh-ahead": refreshAhead,
    "ttl-jitter": ttlJitter,
    "error-ttl": errorTtl,
  },
  Statistics: {
    "hit-count": hitCount,
  },
};

/** All rows by their files' names. */
export const rows: Readonly<Record<string, Row>> = Object.assign({}, ...Object.values(tables));
