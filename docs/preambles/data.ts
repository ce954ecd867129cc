// A source of data, as in a program that uses Cacheme.
export interface User {
  readonly id: number;
  readonly name: string;
}

export interface Post {
  readonly id: number;
  readonly title: string;
}

export interface Session {
  readonly user: string;
  /** Milliseconds. */
  readonly lifetime: number;
}

export declare const db: {
  user(id: number, options?: { signal: AbortSignal }): Promise<User>;
  users(ids: readonly number[]): Promise<User[]>;
  posts(userId: number): Promise<Post[]>;
  session(id: string): Promise<Session | null>;
  rename(id: number, name: string): Promise<void>;
};
