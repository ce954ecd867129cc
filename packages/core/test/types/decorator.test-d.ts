import { Cacheme, memoized, Node } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { ada, admin, BareNode, type Post, PostsNode, posts, type User, UserNode } from "./sample-nodes.js";

describe("the decorator", () => {
  it("fits a method that returns the node's value, and keeps its type", () => {
    class Users {
      @memoized((id: number) => new UserNode(id))
      async find(_id: number): Promise<User> {
        return ada;
      }

      @memoized(() => new PostsNode(1))
      async latest() {
        return posts;
      }

      @memoized((id: number) => new UserNode(id))
      static async of(_id: number) {
        return ada;
      }
    }
    expectTypeOf(new Users().find).toEqualTypeOf<(id: number) => Promise<User>>();
    expectTypeOf(new Users().latest()).toEqualTypeOf<Promise<Post[]>>();
    expectTypeOf(Users.of(1)).toEqualTypeOf<Promise<User>>();
  });

  it("fits a method with more parameters than toNode", () => {
    class Users {
      @memoized((id: number) => new UserNode(id))
      async find(_id: number, _signal?: AbortSignal, _verbose = false): Promise<User> {
        return ada;
      }

      @memoized(() => new UserNode(1))
      async first(_tenant: string): Promise<User> {
        return ada;
      }
    }
    expectTypeOf(new Users().find).parameters.toEqualTypeOf<
      Parameters<(id: number, signal?: AbortSignal, verbose?: boolean) => void>
    >();
    expectTypeOf(new Users().first).parameters.toEqualTypeOf<[tenant: string]>();
  });

  it("finds the space of an instance, and only fits methods of its class", () => {
    class Users {
      constructor(private readonly cacheme: Cacheme) {}

      @memoized((id: number) => new UserNode(id), { space: (users: Users) => users.cacheme })
      async find(_id: number): Promise<User> {
        return ada;
      }

      // @ts-expect-error: a user has no `cacheme`
      @memoized((id: number) => new UserNode(id), { space: (user: User) => user.cacheme })
      async other(_id: number): Promise<User> {
        return ada;
      }
    }
    class Posts {
      // @ts-expect-error: posts are no users
      @memoized(() => new PostsNode(1), { space: (users: Users & { cacheme: never }) => users.cacheme })
      async list() {
        return posts;
      }
    }
    expectTypeOf(new Users(new Cacheme()).find(1)).toEqualTypeOf<Promise<User>>();
    expectTypeOf(new Posts().list()).toEqualTypeOf<Promise<Post[]>>();
  });

  it("fits optional parameters that toNode takes as such", () => {
    class Posts {
      @memoized((page?: number) => new PostsNode(page ?? 1))
      async list(_page?: number) {
        return posts;
      }

      @memoized((page?: number) => new PostsNode(page ?? 1))
      async page(_page: number) {
        return posts;
      }
    }
    expectTypeOf(new Posts().list).parameters.toEqualTypeOf<Parameters<(page?: number) => void>>();
    expectTypeOf(new Posts().page).parameters.toEqualTypeOf<[page: number]>();
  });

  it("fits methods with overloads and type parameters", () => {
    class Users {
      find(id: number): Promise<User>;
      find(name: string, tenant: string): Promise<User>;
      @memoized((idOrName: number | string) => new UserNode(Number(idOrName)))
      async find(_idOrName: number | string, _tenant?: string): Promise<User> {
        return ada;
      }

      @memoized((_kind: string) => new BareNode())
      async generic<K extends string>(kind: K): Promise<{ readonly kind: K }> {
        return { kind };
      }

      once(id: number): Promise<User>;
      once(name: string, tenant: string): Promise<User>;
      // @ts-expect-error the first parameter may be a string
      @memoized((id: number) => new UserNode(id))
      async once(_idOrName: number | string, _tenant?: string): Promise<User> {
        return ada;
      }
    }
    expectTypeOf(new Users().find("Ada", "acme")).toEqualTypeOf<Promise<User>>();
    expectTypeOf(new Users().generic("a")).toEqualTypeOf<Promise<{ readonly kind: "a" }>>();
  });

  it("calls toNode with the method's this", () => {
    class TenantUserNode extends Node<User> {
      readonly tenant: string;
      readonly id: number;

      constructor(tenant: string, id: number) {
        super();
        this.tenant = tenant;
        this.id = id;
      }

      key() {
        return `${this.tenant}/${this.id}`;
      }
    }
    class Users {
      readonly tenant = "acme";

      @memoized(function (this: Users, id: number) {
        return new TenantUserNode(this.tenant, id);
      })
      async find(_id: number): Promise<User> {
        return ada;
      }
    }
    class Elsewhere {
      // @ts-expect-error toNode wants the this of a class that has a tenant
      @memoized(function (this: Users, id: number) {
        return new TenantUserNode(this.tenant, id);
      })
      async find(_id: number): Promise<User> {
        return ada;
      }
    }
    expectTypeOf([new Users().find, new Elsewhere().find]).toExtend<unknown[]>();
  });

  it("fits any method if the node does not declare its value", () => {
    class Anything {
      @memoized((_id: number) => new BareNode())
      async find(_id: number): Promise<User> {
        return ada;
      }
    }
    expectTypeOf(new Anything().find(1)).toEqualTypeOf<Promise<User>>();
  });

  it("refuses a method that returns something else", () => {
    class Users {
      // @ts-expect-error the node holds a User
      @memoized((id: number) => new UserNode(id))
      async posts(_id: number): Promise<Post[]> {
        return posts;
      }

      // @ts-expect-error the node holds no null
      @memoized((id: number) => new UserNode(id))
      async maybe(_id: number): Promise<User | null> {
        return null;
      }

      // @ts-expect-error the node may hold users that are no admins
      @memoized((id: number) => new UserNode(id))
      async admin(_id: number) {
        return admin;
      }
    }
    expectTypeOf(new Users()).toBeObject();
  });

  it("refuses a method that returns no promise", () => {
    class Users {
      // @ts-expect-error what the decorated method returns is always a promise
      @memoized((id: number) => new UserNode(id))
      find(_id: number): User {
        return ada;
      }

      // @ts-expect-error also where the node does not tell its value
      @memoized((_id: number) => new BareNode())
      bare(_id: number): User {
        return ada;
      }
    }
    expectTypeOf(new Users()).toBeObject();
  });

  it("refuses a method whose parameters toNode cannot take", () => {
    class Users {
      // @ts-expect-error the method's id is a text
      @memoized((id: number) => new UserNode(id))
      async byName(_id: string): Promise<User> {
        return ada;
      }

      // @ts-expect-error the method has no id
      @memoized((id: number) => new UserNode(id))
      async none(): Promise<User> {
        return ada;
      }

      // @ts-expect-error the method's id may be missing
      @memoized((id: number) => new UserNode(id))
      async optional(_id?: number): Promise<User> {
        return ada;
      }
    }
    expectTypeOf(new Users()).toBeObject();
  });

  it("refuses anything but a method, and a toNode that makes no node", () => {
    class Users {
      // @ts-expect-error a field is no method
      @memoized((id: number) => new UserNode(id))
      find = async (_id: number) => ada;

      // @ts-expect-error a number is no node
      @memoized((id: number) => id)
      async other(_id: number): Promise<User> {
        return ada;
      }
    }
    expectTypeOf(new Users()).toBeObject();
  });
});
