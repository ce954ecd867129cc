// The node classes of most pages. `Node` has another name here, so that a snippet can import it
// too. The path of the data also holds in the folder in which snippets are compiled.
import { Node as BaseNode, type NodeMeta as Policy } from "cacheme";
import { db, type Post, type User } from "../preambles/data.js";

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
