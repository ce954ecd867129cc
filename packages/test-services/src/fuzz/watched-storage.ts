/** The parts of a remote storage whose requests are watched. */
export interface WatchableStorage {
  readMany(keys: readonly string[]): Promise<unknown>;
  readonly leases?: WatchableLeases | undefined;
}

interface WatchableLeases {
  acquire(requests: never): Promise<unknown>;
  fill(records: never): Promise<unknown>;
}

/**
 * Watches the requests of a storage whose answers a read may join: reads, acquisitions and fills.
 *
 * @param sent called with the keys of a request; returns the function to call at its answer
 */
export function watched<S extends WatchableStorage>(
  storage: S,
  sent: (keys: readonly string[]) => () => void,
): S {
  const watch = <A>(keys: readonly string[], request: () => Promise<A>): Promise<A> => {
    const answered = sent(keys);
    const answer = request();
    answer.then(answered, answered);
    return answer;
  };
  const readMany = storage.readMany.bind(storage);
  storage.readMany = (keys) => watch(keys, () => readMany(keys));
  const { leases } = storage;
  if (leases === undefined) return storage;
  const acquire = leases.acquire.bind(leases);
  leases.acquire = (requests) => watch(keysOf(requests), () => acquire(requests));
  const fill = leases.fill.bind(leases);
  leases.fill = (records) => watch(keysOf(records), () => fill(records));
  return storage;
}

function keysOf(requests: readonly { readonly key: string }[]): readonly string[] {
  return requests.map(({ key }) => key);
}
