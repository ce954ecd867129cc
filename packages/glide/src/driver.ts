import * as format from "@cacheme/redis/records";
import type * as kit from "cacheme/driver";
import { type Cursor, each, inBytes, info, page, time } from "./commands.js";
import { Connection } from "./connection.js";
import type { Settings } from "./options.js";
import { errors, passing } from "./trouble.js";

type Call = kit.StorageCall;

/** Commands of Valkey, for the records and scripts of `@cacheme/redis`. */
export class GlideDriver extends format.KeyCommands implements kit.Driver {
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
    super();
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
    return this.bytesIn(
      found.map((stored) => (Buffer.isBuffer(stored) ? stored : null)),
      keys,
      call,
    );
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

  protected each(commands: readonly format.KeyCommand[], call: Call): Promise<format.Outcome[]> {
    return this.#connection.use(call, (client) => each(client, commands, this.#known));
  }
}
