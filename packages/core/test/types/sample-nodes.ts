import { Node } from "cacheme";

/** A value that the type tests cache. */
export interface User {
  readonly id: number;
  readonly name: string;
}

export interface Admin extends User {
  readonly rights: readonly string[];
}

export interface Post {
  readonly title: string;
}

export declare const ada: User;
export declare const admin: Admin;
export declare const posts: Post[];

/** Declares its value. */
export class UserNode extends Node<User> {
  readonly id: number;

  constructor(id: number) {
    super();
    this.id = id;
  }

  key(): string {
    return `${this.id}`;
  }

  override async load(): Promise<User> {
    return ada;
  }
}

/** Leaves its value to its `load`. */
export class PostsNode extends Node {
  readonly userId: number;

  constructor(userId: number) {
    super();
    this.userId = userId;
  }

  key(): string {
    return `${this.userId}`;
  }

  override async load(): Promise<Post[]> {
    return posts;
  }
}

/** Loads without a promise. */
export class TemplateNode extends Node {
  key(): string {
    return "welcome";
  }

  override load(): { readonly source: string } {
    return { source: "" };
  }
}

/** Declares no type of its value. */
export class BareNode extends Node {
  key(): string {
    return "bare";
  }
}
