import { describe, expect, it } from "vitest";
import { Node, type NodeMeta } from "../src/index.js";
import { reason } from "./support/reason.js";
import { space, twoTiers } from "./support/space.js";

class UserNode extends Node<string> {
  static override meta: NodeMeta = { name: "user", caches: twoTiers };
  constructor(
    readonly tenant: string,
    readonly id: number,
  ) {
    super();
  }
  key() {
    return `${this.tenant}/${this.id}`;
  }
}

describe("the decorator", () => {
  it("keeps what the method returns under the nodes, once for all instances", async () => {
    const { cacheme } = await space();
    const calls: number[] = [];
    class Users {
      @cacheme.memoized((id: number) => new UserNode("acme", id))
      async find(id: number) {
        calls.push(id);
        return `user ${id}`;
      }
    }
    const [one, two] = [new Users(), new Users()];
    expect(await Promise.all([one.find(1), one.find(1), two.find(1), two.find(2)])).toEqual([
      "user 1",
      "user 1",
      "user 1",
      "user 2",
    ]);
    expect(calls).toEqual([1, 2]);
    expect(await cacheme.peek(new UserNode("acme", 1))).toMatchObject({ value: "user 1" });
  });

  it("calls toNode and the method with the method's this", async () => {
    const { cacheme } = await space();
    class Users {
      constructor(readonly tenant: string) {}

      @cacheme.memoized(function (this: Users, id: number) {
        return new UserNode(this.tenant, id);
      })
      async find(id: number, suffix = "") {
        return `${this.tenant} ${id}${suffix}`;
      }
    }
    expect(await new Users("acme").find(1, "!")).toBe("acme 1!");
    expect(await new Users("other").find(1)).toBe("other 1");
    expect(await new Users("acme").find(1)).toBe("acme 1!");
  });

  it("keeps the method's name and length, and leaves it on the prototype", async () => {
    const { cacheme } = await space();
    class Users {
      @cacheme.memoized((id: number) => new UserNode("acme", id))
      async find(id: number, _deep: boolean, _limit = 5) {
        return `user ${id}`;
      }
    }
    expect([Users.prototype.find.name, Users.prototype.find.length]).toEqual(["find", 2]);
    expect(Object.hasOwn(new Users(), "find")).toBe(false);
  });

  it("fits static and private methods, and subclasses that call super", async () => {
    const { cacheme } = await space();
    let calls = 0;
    class Users {
      @cacheme.memoized((id: number) => new UserNode("static", id))
      static async of(id: number) {
        calls += 1;
        return `user ${id}`;
      }

      @cacheme.memoized((id: number) => new UserNode("private", id))
      async #secret(id: number) {
        calls += 1;
        return `secret ${id}`;
      }

      @cacheme.memoized((id: number) => new UserNode("base", id))
      async find(id: number) {
        calls += 1;
        return `base ${id}`;
      }

      secret(id: number) {
        return this.#secret(id);
      }
    }
    class Admins extends Users {
      override async find(id: number) {
        return `admin, ${await super.find(id)}`;
      }
    }
    expect([await Users.of(1), await Users.of(1)]).toEqual(["user 1", "user 1"]);
    expect([await new Users().secret(1), await new Users().secret(1)]).toEqual(["secret 1", "secret 1"]);
    expect([await new Admins().find(1), await new Admins().find(1)]).toEqual([
      "admin, base 1",
      "admin, base 1",
    ]);
    expect(calls).toBe(3);
  });

  it("passes on what the method rejects with, and rejects where toNode throws", async () => {
    const { cacheme } = await space();
    class Users {
      @cacheme.memoized((id: number) => new UserNode("acme", id))
      async fails(_id: number): Promise<string> {
        throw new Error("the source is down");
      }

      @cacheme.memoized((_id: number): UserNode => {
        throw new Error("no such user");
      })
      async nowhere(id: number) {
        return `user ${id}`;
      }
    }
    expect(await reason(new Users().fails(1))).toEqual(new Error("the source is down"));
    expect(await reason(new Users().nowhere(1))).toEqual(new Error("no such user"));
  });
});
