import * as format from "@cacheme/redis/records";
import { RequestError } from "@valkey/valkey-glide";
import * as kit from "cacheme/driver";
import { answersOf, type Cursor, each, inBytes, info, page, time } from "./commands.js";
import { Connection } from "./connection.js";
import type { Settings } from "./options.js";
import { errors, passing } from "./trouble.js";

type Call = kit.StorageCall;
type Tags = readonly kit.NewGeneration[];

/** Commands of Valkey, for the records and scripts of `@cacheme/redis`. */
export class GlideDriver implements kit.Driver {
  readonly takesRepeatedKeys = { read: true, write: true } as const;
  readonly errors: kit.DriverErrors = errors;
  /** A scan looks at every key of the server, so the trial makes none. */
  readonly trial: kit.DriverTrial = {
    needs: "Valkey, or Redis 5 or newer, with Lua scripts",
    passes: ({ message }) => passing.test(message),
    scans: false,
  };
  readonly #connection: Connection;
  readonly #known = new Set<format.Script>();

  constructor(settings: Settings) {
    this.#connection = new Connection(settings);
  }

  open(): Promise<void> {
    return this.#connection.open();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  ping(call: Call): Promise<unknown> {
    return this.#connection.use(call, (client) => client.ping());
  }

  /** TIME of one server, which answers for all of a cluster: its clocks must agree. */
  time(call: Call): Promise<number> {
    return this.#connection.use(call, time);
  }

  /** MGET also for one key: another program's list or hash is a miss for it. */
  async read(keys: readonly string[], call: Call): Promise<readonly (Uint8Array | undefined)[]> {
    const found = await this.#connection.use(call, (client) => client.mget([...keys], inBytes));
    const values = found.map((stored) => format.bytesOf(bufferOf(stored) ?? null));
    // Stale bytes under a lease that outlasts them. They are rare.
    const doubtful = keys.filter((_, index) => values[index] === format.inDoubt);
    const commands = doubtful.map((key): format.KeyCommand => ({ run: format.readInDoubt, key, args: [] }));
    const settled = doubtful.length === 0 ? [] : [...(await this.#answers(commands, call))];
    return values.map((bytes) => (bytes === format.inDoubt ? bufferOf(settled.shift()) : bytes));
  }

  async write(records: readonly kit.StoredRecord[], call: Call): Promise<void> {
    const failures = new kit.KeyFailures(records.length);
    for (const [index, answer] of (await this.#each(format.writeCommands(records), call)).entries()) {
      if (answer instanceof RequestError) failures.add(records[index]?.key ?? "", answer);
    }
    failures.throwIfAny();
  }

  remove(keys: readonly string[], call: Call): Promise<number> {
    return this.#connection.use(call, (client) => client.unlink([...keys]));
  }

  async *scan(pattern: kit.KeyPattern, pageOf: kit.ScanPage): AsyncGenerator<readonly string[]> {
    const match = pattern.outline.glob();
    let next: Cursor | undefined;
    do {
      const from = next;
      const [keys, after]: [string[], Cursor | undefined] = await pageOf((call) =>
        this.#connection.use(call, (client) => page(client, match, from)),
      );
      yield keys;
      next = after;
    } while (next !== undefined);
  }

  async info(call: Call): Promise<kit.StorageInfo> {
    return format.infoOf(await this.#connection.use(call, info));
  }

  async acquire(requests: readonly kit.Acquisition[], call: Call): Promise<readonly kit.LeaseAnswer[]> {
    return format.leaseAnswers(requests, await this.#answers(format.acquireCommands(requests), call));
  }

  async fill(records: readonly kit.LeasedRecord[], call: Call): Promise<readonly boolean[]> {
    return (await this.#answers(format.fillCommands(records), call)).map((answer) => answer === 1);
  }

  release(leases: readonly kit.HeldLease[], call: Call): Promise<unknown> {
    return this.#answers(format.releaseCommands(leases), call);
  }

  ensure(tags: Tags, ttl: number | undefined, call: Call): Promise<kit.Made> {
    return this.#generations(format.generationCommands(format.ensureGeneration, tags, ttl), call);
  }

  /** On a full server the script itself removes the generation. */
  bump(tags: Tags, ttl: number | undefined, call: Call): Promise<kit.Made> {
    return this.#generations(format.generationCommands(format.bumpGeneration, tags, ttl), call);
  }

  async #generations(commands: readonly format.KeyCommand[], call: Call): Promise<kit.Made> {
    return (await this.#answers(commands, call)).map((answer) => kit.generationFrom(bufferOf(answer)));
  }

  async #answers(commands: readonly format.KeyCommand[], call: Call): Promise<readonly unknown[]> {
    return answersOf(await this.#each(commands, call));
  }

  #each(commands: readonly format.KeyCommand[], call: Call): Promise<unknown[]> {
    return this.#connection.use(call, (client) => each(client, commands, this.#known));
  }
}

function bufferOf(answer: unknown): Buffer | undefined {
  return Buffer.isBuffer(answer) ? answer : undefined;
}
