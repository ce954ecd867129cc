import type { Attempt, Client } from "./client.js";
import type { KeyCommand, Outcome } from "./commands.js";

/**
 * The most keys of one script: a server is busy for a third of a millisecond, and other clients
 * wait so long.
 */
const mostKeys = 100;

/** A script for many keys, and the commands that it replaces. */
interface BulkGroup {
  readonly command: KeyCommand;
  readonly commands: readonly KeyCommand[];
}

/** Sends the commands of bulk calls, many keys in one script if the server takes that. */
export class BulkCommands {
  /** Whether the server has refused keys of several slots, although it looks like a lone server. */
  #isRefused = false;

  async each(commands: readonly KeyCommand[], attempt: Attempt, client: Client): Promise<Outcome[]> {
    if (this.#isRefused || !client.takesManyKeys) return await client.each(commands, attempt);
    const groups = bulkGroups(commands);
    const answers = await client.each(
      groups.map(({ command }) => command),
      attempt,
    );
    const outcomes: Outcome[] = [];
    for (const [index, { commands: members }] of groups.entries()) {
      const answer = answers[index] ?? [null, null];
      // The server has not carried out such a script.
      if (answer[0]?.message.startsWith("CROSSSLOT") === true) {
        this.#isRefused = true;
        outcomes.push(...(await client.each(members, attempt)));
      } else outcomes.push(...outcomesOf(members.length, answer));
    }
    return outcomes;
  }
}

/**
 * Puts neighbours with one script and equally many arguments together. Each group is one command.
 */
function bulkGroups(commands: readonly KeyCommand[]): readonly BulkGroup[] {
  const groups: BulkGroup[] = [];
  for (let start = 0; start < commands.length; ) {
    let end = start + 1;
    const first = commands[start] as KeyCommand; // The place is within the list.
    while (end < commands.length && end - start < mostKeys && areAlike(first, commands[end])) end++;
    groups.push(groupOf(first, commands.slice(start, end)));
    start = end;
  }
  return groups;
}

function areAlike({ run, args }: KeyCommand, other: KeyCommand | undefined): boolean {
  return other?.run === run && typeof run !== "string" && other.args.length === args.length;
}

function groupOf(first: KeyCommand, commands: readonly KeyCommand[]): BulkGroup {
  const { run, key } = first;
  if (commands.length === 1 || typeof run === "string") return { command: first, commands };
  const more = commands.slice(1).map((command) => command.key);
  const args = first.args.flatMap((_, column) => columnOf(commands.map((each) => each.args[column] ?? "")));
  return { command: { run: run.many, key, more, args }, commands };
}

/** Puts the values of one argument together, because each argument of a command costs as much as its bytes. */
function columnOf(values: readonly (string | number | Buffer)[]): (string | Buffer)[] {
  const [first = ""] = values;
  if (!Buffer.isBuffer(first) && values.every((value) => value === first)) return [String(first), ""];
  const bytes = values.map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value))));
  return [Buffer.concat(bytes), bytes.map(({ length }) => length).join()];
}

/** Returns the outcome of each command of a group. */
function outcomesOf(size: number, [error, answer]: Outcome): Outcome[] {
  if (size === 1) return [[error, answer]];
  const answers: readonly unknown[] = Array.isArray(answer) ? answer : [];
  return Array.from({ length: size }, (_, index) => [error, answers[index] ?? null]);
}
