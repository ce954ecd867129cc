import type { Journal, JournalRecord } from "cacheme";
import { JournalTable } from "cacheme/driver";
import type { SimulatedProcess, VirtualTime } from "../../../src/cluster.js";

/** A fault of a journal: it hands out records that another process is writing. */
export type JournalFault = "claims what others write";

/** A journal that the processes of a cluster share. */
export class SharedJournal {
  readonly #table: JournalTable;
  readonly #fault: JournalFault | undefined;
  #claims: Awaited<ReturnType<Journal["claim"]>> = [];
  /** Called when records arrive, in the order of the journal. */
  onAppend: (records: readonly JournalRecord[]) => void = () => {};

  constructor(time: VirtualTime, fault: JournalFault | undefined) {
    this.#table = new JournalTable(() => time.now);
    this.#fault = fault;
  }

  /**
   * Returns the journal as a process sees it. Its requests and its answers are messages, which end
   * when the schedule says so.
   */
  of(process: SimulatedProcess): Journal {
    const table = this.#table;
    const call = async <T>(operation: string, keys: readonly string[], act: () => T): Promise<T> => {
      await process.hold(`${operation} request`, keys);
      const answer = act();
      await process.hold(`${operation} answer`, keys);
      return answer;
    };
    return {
      label: "a simulated journal",
      isDurable: true,
      isShared: true,
      connect: async () => {},
      append: (records, delay) =>
        call(
          "append",
          records.map(({ key }) => key),
          () => {
            table.append(records, delay);
            this.onAppend(records);
          },
        ),
      claim: (request) =>
        call("claim", [], () => {
          if (this.#fault !== undefined) table.extend(this.#claims, 0);
          const claims = table.claim(request);
          this.#claims = [...this.#claims, ...claims];
          return claims;
        }),
      extend: async (claims, duration) => table.extend(claims, duration),
      complete: (claims) => call("complete", [], () => table.complete(claims)),
      fail: (failures) => call("fail", [], () => table.fail(failures)),
      read: (keys) => call("read", keys, () => table.read(keys)),
      counts: async () => table.counts(),
      deadLetters: async (limit) => table.deadLetters(limit),
      requeue: async (keys) => table.requeue(keys),
      drop: async (keys) => table.drop(keys),
      close: async () => {},
    };
  }
}
