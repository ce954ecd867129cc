import assert from "node:assert/strict";
import { memoized, Node, type NodeMeta } from "cacheme";

interface User {
  readonly name: string;
}

class UserNode extends Node<User> {
  static override meta: NodeMeta = { name: "user" };

  constructor(readonly id: string) {
    super();
  }

  key() {
    return this.id;
  }
}

class BareNode extends Node {
  key() {
    return "bare";
  }
}

let calls = 0;

function userOf(id: string): User {
  calls += 1;
  return { name: `user ${id}` };
}

/** The program's own decorator, beside ours on one method. */
function traced(_target: object, _key: string, descriptor: PropertyDescriptor): void {
  const method: (...args: unknown[]) => unknown = descriptor.value;
  descriptor.value = function (...args: unknown[]) {
    return Reflect.apply(method, this, args);
  };
}

class Users {
  constructor(readonly tenant: string) {}

  @memoized(function (this: Users, id: number) {
    return new UserNode(`${this.tenant}/${id}`);
  })
  async find(id: number, _deep?: boolean): Promise<User> {
    return userOf(`${this.tenant}/${id}`);
  }

  @memoized((id: string) => new UserNode(`static/${id}`))
  static async of(id: string): Promise<User> {
    return userOf(id);
  }

  overloaded(id: number): Promise<User>;
  overloaded(name: string, tenant: string): Promise<User>;
  @traced
  @memoized((id: number | string) => new UserNode(`overloaded/${typeof id} ${id}`))
  @traced
  async overloaded(id: number | string): Promise<User> {
    return userOf(`${id}`);
  }

  @memoized((_kind: string) => new BareNode())
  async generic<K extends string>(kind: K): Promise<{ readonly kind: K }> {
    return { kind };
  }

  // @ts-expect-error the node holds a User
  @memoized((id: number) => new UserNode(`${id}`))
  async name(_id: number): Promise<string> {
    return "";
  }

  // @ts-expect-error the method's id is a string
  @memoized((id: number) => new UserNode(`${id}`))
  async byName(_name: string): Promise<User> {
    return userOf("");
  }

  // @ts-expect-error the method returns no promise
  @memoized((id: number) => new UserNode(`${id}`))
  now(_id: number): User {
    return userOf("");
  }

  // @ts-expect-error toNode needs the `this` of another class
  @memoized(function (this: { readonly region: string }, id: number) {
    return new UserNode(`${this.region}/${id}`);
  })
  async elsewhere(_id: number): Promise<User> {
    return userOf("");
  }
}

const [one, two] = [new Users("one"), new Users("two")];
const answers: User[] = await Promise.all([one.find(1), one.find(1, true), new Users("one").find(1)]);
assert.deepEqual(answers, [{ name: "user one/1" }, { name: "user one/1" }, { name: "user one/1" }]);
assert.equal(calls, 1, "the instances of one tenant share one call");
assert.deepEqual(await two.find(1), { name: "user two/1" });

calls = 0;
await Promise.all([Users.of("a"), Users.of("a")]);
assert.equal(calls, 1, "a static method is called once");
calls = 0;
assert.deepEqual(
  [await one.overloaded(1), await one.overloaded("1", "t"), calls],
  [{ name: "user 1" }, { name: "user 1" }, 2],
);
const { kind }: { readonly kind: "a" } = await one.generic("a");
assert.equal(kind, "a");

const misplaced = { code: "CACHEME_INVALID_DECORATOR" };
const toNode = () => new UserNode("");
assert.throws(() => {
  class Field {
    // @ts-expect-error a field is no method
    @memoized(toNode)
    find = async (): Promise<User> => userOf("");
  }
  return Field;
}, misplaced);
assert.throws(() => {
  class Accessor {
    // @ts-expect-error an accessor is no method
    @memoized(toNode)
    get find(): Promise<User> {
      return Promise.resolve(userOf(""));
    }
  }
  return Accessor;
}, misplaced);
assert.throws(() => {
  // @ts-expect-error a class is no method
  @memoized(toNode)
  class Whole {}
  return Whole;
}, misplaced);
assert.throws(() => {
  class Parameter {
    async find(
      // @ts-expect-error a parameter is no method
      @memoized(toNode) _id: number,
    ): Promise<User> {
      return userOf("");
    }
  }
  return Parameter;
}, misplaced);
assert.throws(() => {
  class Bare {
    // @ts-expect-error the decorator is not called
    @memoized
    async find(): Promise<User> {
      return userOf("");
    }
  }
  return Bare;
}, misplaced);
