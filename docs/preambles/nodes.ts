// The node classes that most pages speak of, and the source behind them. `Node` is imported under another name, so that a
// snippet can import it too.
import { Node as BaseNode, type NodeMeta as Policy } from "cacheme";

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

export class UserNode extends BaseNode<User> {
  static override meta: Policy = {
    name: "user",
    caches: [
      { storage: "local", ttl: "30s" },
      { storage: "redis", ttl: "10m" },
    ],
  };

  constructor(readonly id: number) {
    super();
  }

  key() {
    return `${this.id}`;
  }

  override load() {
    return db.user(this.id);
  }
}

export class PostsNode extends BaseNode<Post[]> {
  constructor(readonly userId: number) {
    super();
  }

  key() {
    return `${this.userId}`;
  }

  override load() {
    return db.posts(this.userId);
  }
}
