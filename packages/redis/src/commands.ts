import type * as kit from "cacheme/driver";
import { generationFrom, KeyFailures } from "cacheme/driver";
import { bytesOf, inDoubt, packed } from "./record.js";
import * as scripts from "./scripts.js";

/** One command for one key: in a Cluster, each goes to its key's node. */
export interface KeyCommand {
  /** A command whose first argument is the key, or a script whose only key it is. */
  readonly run: "mget" | "set" | "unlink" | scripts.Script;
  readonly key: string;
  readonly args: readonly (string | number | Buffer)[];
  /** Further keys, of a script for many. */
  readonly more?: readonly string[] | undefined;
}

/** The result of a command: an error of its own, or the server's answer. */
export type Outcome = readonly [error: Error | null, answer: unknown];

const noBytes = Buffer.alloc(0);

/** The calls of a driver that are a command or a script for each key, over any client of Redis. */
export abstract class KeyCommands {
  /** Sends each command to its key's server: all commands for one server go in one round trip. */
  protected abstract each(
    commands: readonly KeyCommand[],
    call: kit.StorageCall,
    isBulk?: boolean,
  ): Promise<Outcome[]>;

  /** Sends a SET for each record, or a script if a record without a ttl becomes stale. */
  async write(records: readonly kit.StoredRecord[], call: kit.StorageCall): Promise<void> {
    const packs = packed(records);
    const commands = records.map(({ key, ttl, freshFor }, index): KeyCommand => {
      const pack = packs[index] ?? noBytes;
      if (ttl !== undefined) return { run: "set", key, args: [pack, "PX", ttl] };
      if (freshFor !== undefined) return { run: scripts.storeForEver, key, args: [pack, freshFor] };
      return { run: "set", key, args: [pack] };
    });
    const failures = new KeyFailures(records.length);
    for (const [index, [error]] of (await this.each(commands, call)).entries()) {
      if (error !== null) failures.add(records[index]?.key ?? "", error);
    }
    failures.throwIfAny();
  }

  async touch(touches: readonly kit.StoredTouch[], call: kit.StorageCall): Promise<readonly boolean[]> {
    const commands = touches.map(({ key, ttl }): KeyCommand => ({ run: scripts.touch, key, args: [ttl] }));
    return (await this.#answers(commands, call)).map((answer) => answer !== 0);
  }

  /** If another client holds a lease, the script answers 0. */
  async acquire(
    requests: readonly kit.Acquisition[],
    call: kit.StorageCall,
    isBulk: boolean = false,
  ): Promise<readonly kit.LeaseAnswer[]> {
    const commands = requests.map(({ key, duration, steal, token, seen }) => {
      const args = [tokenBytes(token), duration, steal ? "1" : "0"];
      return { run: scripts.acquire, key, args: seen === undefined ? args : [...args, Buffer.from(seen)] };
    });
    const answers = await this.#answers(commands, call, isBulk);
    return requests.map(({ token }, index) => {
      const answer = answers[index];
      if (Buffer.isBuffer(answer)) return { outcome: "fresh", bytes: answer };
      return answer === 0 ? { outcome: "held" } : { outcome: "granted", token, at: Number(answer) };
    });
  }

  async fill(
    records: readonly kit.LeasedRecord[],
    call: kit.StorageCall,
    isBulk: boolean = false,
  ): Promise<readonly boolean[]> {
    const packs = packed(records);
    const args = ({ ttl, freshFor }: kit.LeasedRecord, index: number) => {
      return [packs[index] ?? noBytes, ttl ?? "", ttl === undefined ? (freshFor ?? "") : ""];
    };
    return this.#isDone(scripts.fill, records, call, args, isBulk);
  }

  release(leases: readonly kit.HeldLease[], call: kit.StorageCall): Promise<readonly boolean[]> {
    return this.#isDone(scripts.release, leases, call, () => []);
  }

  extend(leases: readonly kit.LeaseExtension[], call: kit.StorageCall): Promise<readonly boolean[]> {
    return this.#isDone(scripts.extend, leases, call, ({ duration }) => [duration]);
  }

  ensure(...asked: Asked): Promise<kit.Made> {
    return this.#generations(scripts.ensureGeneration, asked);
  }

  /** On a full server the script itself removes the generation. */
  bump(...asked: Asked): Promise<kit.Made> {
    return this.#generations(scripts.bumpGeneration, asked);
  }

  /** Returns the records' bytes in the strings that MGET answered. */
  protected async bytesIn(
    found: readonly (Buffer | null)[],
    keys: readonly string[],
    call: kit.StorageCall,
  ): Promise<readonly (Buffer | undefined)[]> {
    const values: (Buffer | undefined)[] = [];
    const doubtful: number[] = [];
    // One pass: most of a read's cost here is the making of a view for each value.
    for (let index = 0; index < found.length; index++) {
      const bytes = bytesOf(found[index] ?? null);
      if (bytes === inDoubt) doubtful.push(index);
      values.push(bytes === inDoubt ? undefined : bytes);
    }
    if (doubtful.length === 0) return values;
    const commands = doubtful.map((at) => ({ run: scripts.readInDoubt, key: keys[at] ?? "", args: [] }));
    for (const [position, answer] of (await this.#answers(commands, call)).entries()) {
      if (Buffer.isBuffer(answer)) values[doubtful[position] ?? 0] = answer;
    }
    return values;
  }

  /** Runs a script that answers 0 if the lease does not have the token. */
  async #isDone<L extends kit.HeldLease>(
    run: scripts.Script,
    leases: readonly L[],
    call: kit.StorageCall,
    args: (lease: L, index: number) => KeyCommand["args"],
    isBulk: boolean = false,
  ): Promise<readonly boolean[]> {
    const commands = leases.map((lease, index): KeyCommand => {
      return { run, key: lease.key, args: [tokenBytes(lease.token), ...args(lease, index)] };
    });
    return (await this.#answers(commands, call, isBulk)).map((answer) => answer !== 0);
  }

  async #generations(run: scripts.Script, [tags, ttl, call]: Asked): Promise<kit.Made> {
    const commands = tags.map(({ key, id }) => ({ run, key, args: [id, ttl ?? ""] }));
    const answers = await this.#answers(commands, call);
    return answers.map((answer) => (Buffer.isBuffer(answer) ? generationFrom(answer) : undefined));
  }

  async #answers(
    commands: readonly KeyCommand[],
    call: kit.StorageCall,
    isBulk: boolean = false,
  ): Promise<unknown[]> {
    return answersOf(await this.each(commands, call, isBulk));
  }
}

type Asked = Parameters<Required<kit.Driver>["ensure"]>;

/** Returns the answers of a batch that succeeds or fails as a whole. */
export function answersOf(outcomes: readonly Outcome[]): unknown[] {
  return outcomes.map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}

/** The 16 bytes that a record's header holds. */
function tokenBytes(token: string): Buffer {
  return Buffer.from(token, "hex");
}
