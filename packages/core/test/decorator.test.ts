import { describe, expect, it } from "vitest";
import { Cacheme, memoized, Node, type NodeMeta } from "../src/index.js";
import { reason, thrownBy } from "./support/reason.js";
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
  it("keeps the method's results under the nodes, once for all instances", async () => {
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

  it("keeps the results of each instance in the space that the option names", async () => {
    const [one, two] = [await space(), await space()];
    class Users {
      constructor(
        readonly cacheme: Cacheme,
        readonly source: string,
      ) {}

      @memoized((id: number) => new UserNode("acme", id), { space: (users: Users) => users.cacheme })
      async find(id: number) {
        return `user ${id} of ${this.source}`;
      }
    }
    expect(await new Users(one.cacheme, "one").find(1)).toBe("user 1 of one");
    expect(await new Users(two.cacheme, "two").find(1)).toBe("user 1 of two");
    expect(await new Users(one.cacheme, "another").find(1)).toBe("user 1 of one");
    expect(await one.cacheme.peek(new UserNode("acme", 1))).toMatchObject({ value: "user 1 of one" });
  });

  it("refuses unknown options and invalid spaces", async () => {
    const toNode = (id: number) => new UserNode("acme", id);
    for (const options of [{ spaces: () => new Cacheme() }, { space: new Cacheme() }, null, 1]) {
      expect(thrownBy(() => memoized(toNode, options as never))).toMatchObject({
        code: expect.stringMatching(/^CACHEME_INVALID_(?:OPTION|DECORATOR)$/),
      });
    }
    class Users {
      @memoized(toNode, { space: () => undefined as never })
      async find(_id: number) {
        return "user";
      }
    }
    expect(await reason(new Users().find(1))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringContaining('The option space of @memoized on "find" returned undefined'),
    });
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

  it("passes on the method's rejection, and rejects if toNode throws", async () => {
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

/**
 * Decorates a method as the output of `experimentalDecorators` does. The helpers of tsc, SWC, Babel
 * and esbuild do the same.
 */
function legacyDecorate(decorator: unknown, target: object, key: string): void {
  const before = Object.getOwnPropertyDescriptor(target, key);
  const after = (decorator as (...args: unknown[]) => PropertyDescriptor | undefined)(target, key, before);
  Object.defineProperty(target, key, after ?? (before as PropertyDescriptor));
}

describe("the decorator under experimentalDecorators", () => {
  it("keeps the results of methods of prototypes and of classes", async () => {
    const { cacheme } = await space();
    const calls: string[] = [];
    class Users {
      constructor(readonly tenant: string) {}

      async find(id: number, _deep = false) {
        calls.push(`${this.tenant}/${id}`);
        return `user ${this.tenant}/${id}`;
      }

      static readonly region = "eu";

      static async of(id: number) {
        calls.push(`${Users.region}/${id}`);
        return `user ${Users.region}/${id}`;
      }
    }
    const onPrototype = cacheme.memoized(function (this: Users, id: number) {
      return new UserNode(this.tenant, id);
    });
    const onClass = cacheme.memoized(function (this: typeof Users, id: number) {
      return new UserNode(this.region, id);
    });
    legacyDecorate(onPrototype, Users.prototype, "find");
    legacyDecorate(onClass, Users, "of");

    const [one, two] = [new Users("one"), new Users("two")];
    expect(await Promise.all([one.find(1), one.find(1), two.find(1), Users.of(1), Users.of(1)])).toEqual([
      "user one/1",
      "user one/1",
      "user two/1",
      "user eu/1",
      "user eu/1",
    ]);
    expect(calls).toEqual(["one/1", "two/1", "eu/1"]);
  });

  it("keeps the method's name, length and attributes", async () => {
    const { cacheme } = await space();
    class Users {
      async find(id: number, _deep = false) {
        return `user ${id}`;
      }
    }
    const before = Object.getOwnPropertyDescriptor(Users.prototype, "find");
    legacyDecorate(
      cacheme.memoized((id: number) => new UserNode("acme", id)),
      Users.prototype,
      "find",
    );
    const after = Object.getOwnPropertyDescriptor(Users.prototype, "find");
    expect(after).toEqual({ ...before, value: expect.any(Function) });
    expect(after?.value).not.toBe(before?.value);
    expect([Users.prototype.find.name, Users.prototype.find.length]).toEqual(["find", 1]);
  });
});

describe("the decorator on something else", () => {
  const method = async () => "user";
  const symbol = Symbol("find");

  it.each<[string, unknown[]]>([
    ['the field "find"', [undefined, { kind: "field", name: "find" }]],
    ['the getter "find"', [method, { kind: "getter", name: "find" }]],
    ['the setter "find"', [method, { kind: "setter", name: "find" }]],
    [
      'the accessor "find"',
      [
        { get: method, set: method },
        { kind: "accessor", name: "find" },
      ],
    ],
    ['the class "Users"', [class Users {}, { kind: "class", name: "Users" }]],
    ["a class", [class {}, { kind: "class", name: undefined }]],
    ['the field "find"', [{}, "find", undefined]],
    ['the field "find"', [{}, "find"]],
    ['the field "find"', [{}, "find", { value: undefined, writable: true }]],
    ['the field "Symbol(find)"', [{}, symbol, undefined]],
    ['the accessor "find"', [{}, "find", { get: method, set: undefined }]],
    ['the class "Users"', [class Users {}]],
    ['parameter 1 of the method "find"', [{}, "find", 1]],
    ['parameter 0 of the method "constructor"', [class Users {}, undefined, 0]],
    ["a number", [1]],
    ["undefined", []],
  ])("throws and names %s", async (what, decoration) => {
    const { cacheme } = await space();
    const decorator = cacheme.memoized(() => new UserNode("acme", 1)) as (...args: unknown[]) => unknown;
    const thrown = thrownBy(() => decorator(...decoration));
    expect(thrown).toMatchObject({ code: "CACHEME_INVALID_DECORATOR" });
    expect(thrown).toMatchObject({ message: expect.stringContaining(`expected a method, got ${what}. `) });
  });

  it("throws if its call is missing", async () => {
    const { cacheme } = await space();
    const bare = cacheme.memoized.bind(cacheme) as (...args: unknown[]) => unknown;
    for (const decoration of [
      [method, { kind: "method", name: "find" }],
      [{}, "find", { value: method }],
      [class Users {}, "find", { value: method }],
    ]) {
      expect(thrownBy(() => bare(...decoration))).toMatchObject({
        code: "CACHEME_INVALID_DECORATOR",
        message: expect.stringContaining('the method "find", without its call'),
      });
    }
  });

  it("throws if toNode is not a function", async () => {
    const { cacheme } = await space();
    const memoized = cacheme.memoized.bind(cacheme) as (toNode?: unknown) => unknown;
    for (const [toNode, what] of [
      [undefined, "undefined"],
      ["id", "a string"],
    ]) {
      expect(thrownBy(() => memoized(toNode))).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringContaining(`memoized expected toNode to be a function, got ${what}`),
      });
    }
  });

  it("makes the method reject if toNode returns no node", async () => {
    const { cacheme } = await space();
    class Users {
      @cacheme.memoized(() => undefined as unknown as UserNode)
      async find() {
        return "user";
      }
    }
    expect(await reason(new Users().find())).toMatchObject({
      code: "CACHEME_INVALID_NODE",
      message: expect.stringContaining('The toNode of @memoized on "find" returned undefined'),
    });
  });
});
