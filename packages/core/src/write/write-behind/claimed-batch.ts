import { asError, type SerializationError } from "../../errors.js";
import type { Events } from "../../events.js";
import type { JournalClaim } from "../../journal/journal.js";
import { policyError } from "../../node/policy/failure.js";
import type { ClassRuntime } from "../../runtime/class-runtime.js";
import type { Tag } from "../../tags/tag.js";
import { incompleteSave } from "../incomplete.js";
import type { Retainable } from "../retaining.js";
import { tagsFor } from "../set.js";
import type { Source } from "../source.js";
import type { SourceFailure } from "../source-outcomes.js";
import { type ThroughEnvironment, ThroughWrite } from "../through-write.js";
import type { ClaimOutcome } from "./flusher.js";
import type { JournaledValue } from "./journaled-node.js";

/** The parts of a space that writes behind need. */
export interface ClaimedEnvironment extends ThroughEnvironment {
  readonly events: Events;
  readonly source: Source;
}

/** A claimed value on its way. */
interface Claimed {
  readonly place: number;
  readonly attempts: number;
  readonly value: JournaledValue;
  /** The part that concerns the tiers. */
  readonly write: ThroughWrite;
  /** Whether the remote tiers take the value. Else they only drop the key. The source gets it in any case. */
  readonly isStored: boolean;
}

/**
 * Writes claimed values into their sources, and then into the remote tiers. Local tiers drop the
 * key: the journal may have a newer value meanwhile, which no local entry may hide.
 *
 * Values that have failed before are written one by one, so that one of them cannot fail the
 * others' `saveAll`.
 *
 * @param decode makes the value of a record again; throws if it cannot
 */
export async function writeClaimed(
  claims: readonly JournalClaim[],
  decode: (claim: JournalClaim) => JournaledValue,
  environment: ClaimedEnvironment,
): Promise<readonly (ClaimOutcome | undefined)[]> {
  const outcomes: (ClaimOutcome | undefined)[] = claims.map(() => undefined);
  const byClass = new Map<ClassRuntime, Claimed[]>();
  for (const [place, claim] of claims.entries()) {
    try {
      const value = decode(claim);
      const group = byClass.get(value.runtime);
      const claimed = { place, attempts: claim.attempts, value, ...throughWrite(value, environment) };
      if (group === undefined) byClass.set(value.runtime, [claimed]);
      else group.push(claimed);
    } catch (error) {
      outcomes[place] = { error, isUnreadable: true };
    }
  }
  await Promise.all(
    Array.from(byClass, async ([runtime, group]) => {
      try {
        await writeGroup(runtime, group, outcomes, environment);
      } catch (error) {
        // An error of ours may hide whether the source has a value, so it is written again.
        for (const { place } of group) outcomes[place] ??= { error, isUnreadable: false };
      }
    }),
  );
  return outcomes;
}

async function writeGroup(
  runtime: ClassRuntime,
  group: readonly Claimed[],
  outcomes: (ClaimOutcome | undefined)[],
  environment: ClaimedEnvironment,
): Promise<void> {
  await Promise.all(group.map(({ write }) => write.begin()));
  const fresh = group.filter(({ attempts }) => attempts === 0);
  const failedBefore = group.filter(({ attempts }) => attempts > 0);
  const parts = [fresh, ...failedBefore.map((one) => [one])].filter(({ length }) => length > 0);
  const ended = async (part: readonly Claimed[]) => {
    const failures = await environment.source.write(
      runtime,
      part.map(({ value }) => value),
    );
    await Promise.all(
      part.map(async (claimed, index) => {
        const failure = failures[index];
        await finish(claimed, failure, environment);
        if (failure !== undefined) outcomes[claimed.place] = { error: failure.error, isUnreadable: false };
      }),
    );
  };
  await Promise.all(parts.map(ended));
}

/**
 * Makes the part of a write that concerns the tiers. A failing function of the class is reported,
 * and the tiers drop the key: the source gets an acknowledged value in any case.
 */
function throughWrite(
  { runtime, node, key, value }: JournaledValue,
  environment: ClaimedEnvironment,
): Pick<Claimed, "write" | "isStored"> {
  const { kind, name } = runtime;
  const { store } = environment;
  const load: Retainable = { node, key, ttl: undefined, skip: false };
  let isStored = store.retaining.decide(kind, load, value);
  let tags: readonly Tag[] | undefined;
  try {
    tags = tagsFor(runtime, node, key, {}, store, "save");
  } catch (error) {
    store.notStored.report(kind, key, policyError(error, name, key));
    isStored = false;
  }
  const uncarried = (error: SerializationError): void => {
    store.notStored.report(kind, key, error);
    isStored = false;
  };
  const given = { kind, key, value, ttl: load.ttl, tags, storesLocally: false, uncarried };
  const write = new ThroughWrite(environment, given);
  return { write, isStored };
}

async function finish(
  { write, isStored, value: { runtime, key } }: Claimed,
  failure: SourceFailure | undefined,
  { events }: ClaimedEnvironment,
): Promise<void> {
  if (failure !== undefined) {
    if (failure.late === undefined) write.refused();
    else await write.unknown();
    return;
  }
  const { name } = runtime;
  const failed = isStored ? await write.saved() : await write.unknown();
  const error = incompleteSave({ name, key, failed });
  if (error !== undefined && events.listeners.invalidateError !== null)
    events.emit("invalidateError", { error: asError(error) });
}
