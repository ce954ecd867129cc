import type { Board } from "./board.js";
import type { Ledger } from "./ledger.js";

/** The parts of a `Cacheme` that the fuzz calls, for nodes of type `N`. */
export interface FuzzSpace<N> {
  get(node: N, options?: FuzzReadOptions): Promise<unknown>;
  getAll(nodes: readonly N[], options?: FuzzReadOptions): Promise<unknown[]>;
  getAllSettled(nodes: readonly N[]): Promise<PromiseSettledResult<unknown>[]>;
  peek(node: N): Promise<{ readonly value: unknown } | undefined>;
  refresh(node: N): Promise<unknown>;
  set(node: N, value: never): Promise<void>;
  invalidate(nodes: readonly N[]): Promise<void>;
  invalidateSoon(nodes: readonly N[]): void;
  invalidateTags(...tags: string[]): Promise<void>;
  invalidateScope(scope: { readonly org: number; readonly user?: number }): Promise<void>;
  invalidateMatching(pattern: string): Promise<number>;
  clear(): unknown;
}

interface FuzzReadOptions {
  readonly fresh?: boolean;
  readonly maxAge?: number;
  readonly signal?: AbortSignal;
}

/** How often an actor does what. */
export const operations = {
  get: 40,
  getAll: 8,
  getAllSettled: 3,
  peek: 4,
  refresh: 3,
  fresh: 2,
  maxAge: 3,
  abort: 4,
  set: 4,
  change: 12,
  invalidate: 4,
  invalidateSoon: 1,
  invalidateTags: 3,
  invalidateScope: 2,
  invalidateMatching: 1,
  clear: 0.3,
  replaceStorage: 0.2,
} as const;

export type Operation = keyof typeof operations;

/** The error of a load that is made to fail. */
export const planned = "planned failure of a load";

/** The things that the actors of a process share. */
export interface Stage<N> {
  readonly space: FuzzSpace<N>;
  readonly node: (record: number) => N;
  readonly board: Board;
  readonly ledger: Ledger;
  /** The number of this process, and of all processes. */
  readonly slot: number;
  readonly processes: number;
  readonly by: string;
  readonly replaceStorage: () => Promise<void>;
  /** Returns the milliseconds since a time in which this process was not stopped. */
  readonly awakeSince: (time: number) => number;
  readonly counts: Map<Operation, number>;
  /** The records that are being changed, each by one actor at a time. */
  readonly changing: Set<number>;
  longest: number;
}

/** Returns nothing for the error of a load that was made to fail, and throws any other one. */
export function allowsPlanned(error: unknown): undefined {
  if (error instanceof Error && error.message === planned) return undefined;
  if (
    error instanceof AggregateError &&
    error.errors.every((one: unknown) => one instanceof Error && one.message === planned)
  )
    return undefined;
  throw error;
}

export function shown(error: unknown): string {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  return `${name} ${code ?? ""} ${message}`;
}
