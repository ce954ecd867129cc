// A source of data, as in a program that uses Cacheme.
export interface User {
  readonly id: number;
  readonly name: string;
}

export interface Post {
  readonly id: number;
  readonly title: string;
}

export declare const db: {
  user(id: number, options?: { signal: AbortSignal }): Promise<User>;
  users(ids: readonly number[]): Promise<User[]>;
  posts(userId: number): Promise<Post[]>;
  rename(id: number, name: string): Promise<void>;
};
