/** The state of one key on a simulated server. */
export interface StoredState {
  bytes: Uint8Array | undefined;
  /** The server's time at which the bytes expire. */
  until: number;
  /** The server's time up to which `acquire` answers with the bytes. */
  freshUntil: number;
  /** The token of the lease. An expired lease keeps its token until somebody takes the lease. */
  token: string | undefined;
  leaseUntil: number;
}

const nothing: StoredState = { bytes: undefined, until: 0, freshUntil: 0, token: undefined, leaseUntil: 0 };

/** The states of a server by key. */
export class StoredStates {
  readonly #states: Map<string, StoredState>;

  constructor(states: ReadonlyMap<string, StoredState> = new Map()) {
    this.#states = new Map(states);
  }

  keys(): string[] {
    return [...this.#states.keys()];
  }

  /** Returns the state at that time, without the bytes that have expired. */
  get(key: string, now: number): StoredState {
    const state = this.#states.get(key);
    if (state === undefined) return nothing;
    return state.bytes === undefined || state.until > now ? state : { ...state, bytes: undefined };
  }

  set(key: string, state: StoredState): void {
    this.#states.set(key, state);
  }

  delete(key: string): void {
    this.#states.delete(key);
  }

  /** Returns a copy that later changes do not affect. */
  copy(): StoredStates {
    return new StoredStates(this.#states);
  }
}
