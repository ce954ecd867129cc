import { describe, expect, it } from "vitest";
import type { NodeMeta } from "../src/index.js";
import { settled } from "./support/deferred.js";
import { reason, thrownBy } from "./support/reason.js";
import { localOnly, NumberedNode, space, twoTiers } from "./support/space.js";

class UserNode extends NumberedNode<string> {
  static override meta: NodeMeta = { name: "user", caches: twoTiers };
}

class LocalNode extends UserNode {
  static override meta: NodeMeta = { name: "local-user", caches: localOnly };
}

describe("memoize", () => {
  it("calls the function once for each node, and answers from the tiers after that", async () => {
    const { cacheme } = await space();
    const calls: number[] = [];
    const find = cacheme.memoize(
      async (id: number) => {
        calls.push(id);
        return `user ${id}`;
      },
      (id) => new UserNode(id),
    );
    expect(await Promise.all([find(1), find(1), find(2)])).toEqual(["user 1", "user 1", "user 2"]);
    expect(await find(1)).toBe("user 1");
    expect(calls).toEqual([1, 2]);
    expect(await cacheme.get(new UserNode(1))).toBe("user 1");
  });

  it("keeps the function's name and length", async () => {
    const { cacheme } = await space();
    async function findUser(id: number, _tenant: string, _deep = false) {
      return `user ${id}`;
    }
    const memoized = cacheme.memoize(findUser, (id) => new UserNode(id));
    expect([memoized.name, memoized.length]).toEqual(["findUser", 2]);
  });

  it("calls the function with the caller's this and all its arguments", async () => {
    const { cacheme } = await space();
    const users = {
      tenant: "acme",
      find: cacheme.memoize(
        async function (this: { tenant: string }, id: number, a?: string, b?: string) {
          return `${this.tenant} ${id} ${a},${b}`;
        },
        (id: number, _a?: string, _b?: string) => new UserNode(id),
      ),
    };
    expect(await users.find(1, "a", "b")).toBe("acme 1 a,b");
    expect(await users.find.refresh.call({ tenant: "other" }, 1, "c")).toBe("other 1 c,undefined");
    expect(await users.find(1)).toBe("other 1 c,undefined");
  });

  it("passes toNode every argument", async () => {
    const { cacheme } = await space();
    const seen: unknown[][] = [];
    const memoized = cacheme.memoize(
      async (a: number, b: string) => `${a}${b}`,
      (...args) => {
        seen.push(args);
        return new UserNode(args[0]);
      },
    );
    await memoized(1, "b");
    expect(seen).toEqual([[1, "b"]]);
  });

  it("has the node, the invalidation and the refresh for the same arguments", async () => {
    const { cacheme } = await space();
    let calls = 0;
    const find = cacheme.memoize(
      async (id: number) => {
        calls += 1;
        return `user ${id}, call ${calls}`;
      },
      (id) => new UserNode(id),
    );
    expect(find.node(7)).toEqual(new UserNode(7));
    expect(await find(1)).toBe("user 1, call 1");
    await find.invalidate(1);
    expect(cacheme.peekLocal(find.node(1))).toBeUndefined();
    expect(await find(1)).toBe("user 1, call 2");
    expect(await find.refresh(1)).toBe("user 1, call 3");
    expect(await find(1)).toBe("user 1, call 3");
  });

  it("takes a function that returns no promise, and answers a promise", async () => {
    const { cacheme } = await space();
    const find = cacheme.memoize(
      (id: number) => `user ${id}`,
      (id) => new UserNode(id),
    );
    const answer = find(1);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toBe("user 1");
  });

  it("passes on the function's error, and calls it again the next time", async () => {
    const { cacheme } = await space();
    let calls = 0;
    const find = cacheme.memoize(
      (id: number) => {
        calls += 1;
        if (calls === 1) throw new Error("not now");
        return `user ${id}`;
      },
      (id) => new UserNode(id),
    );
    expect(await reason(find(1))).toEqual(new Error("not now"));
    expect(await find(1)).toBe("user 1");
  });

  it("rejects and does not throw if toNode throws", async () => {
    const { cacheme } = await space();
    const find = cacheme.memoize(
      async (id: number) => `user ${id}`,
      (): UserNode => {
        throw new Error("no such user");
      },
    );
    for (const call of [find, find.refresh, find.invalidate]) {
      expect(await reason(call(1))).toEqual(new Error("no such user"));
    }
  });

  it("rejects with the result of toNode if it is not a node", async () => {
    const { cacheme } = await space();
    const returned: [unknown, string][] = [
      [undefined, "undefined"],
      [null, "null"],
      [7, "a number"],
      ["1", "a string"],
      [{ key: "1" }, "an object"],
      [UserNode, "a function"],
      [Promise.resolve(new UserNode(1)), "a promise"],
    ];
    for (const [node, what] of returned) {
      const find = cacheme.memoize(
        async function findUser(id: number) {
          return `user ${id}`;
        },
        () => node as UserNode,
      );
      for (const call of [find, find.refresh, find.invalidate]) {
        const error = await reason(call(1));
        expect(error).toMatchObject({ code: "CACHEME_INVALID_NODE" });
        expect(error).toMatchObject({
          message: expect.stringContaining(`memoize(findUser, toNode) returned ${what}, expected a node`),
        });
      }
      expect(thrownBy(() => find.node(1))).toMatchObject({ code: "CACHEME_INVALID_NODE" });
    }
  });

  it("leaves no rejection unhandled if toNode is async and fails", async () => {
    const { cacheme } = await space();
    const unhandled: unknown[] = [];
    const listener = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listener);
    try {
      const find = cacheme.memoize(async (id: number) => `user ${id}`, (async () => {
        throw new Error("no such user");
      }) as unknown as () => UserNode);
      expect(await reason(find(1))).toMatchObject({ code: "CACHEME_INVALID_NODE" });
      await new Promise(setImmediate); // Node reports unhandled rejections before.
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", listener);
    }
  });

  it("rejects with the error that a hostile node throws", async () => {
    const { cacheme } = await space();
    const { proxy, revoke } = Proxy.revocable(new UserNode(1), {});
    revoke();
    const broken = {
      get key(): () => string {
        throw new Error("no key");
      },
    };
    for (const [node, error] of [
      [proxy, expect.any(TypeError)],
      [broken, new Error("no key")],
    ] as const) {
      const find = cacheme.memoize(
        async () => "user",
        () => node as UserNode,
      );
      expect(await reason(find())).toEqual(error);
    }
  });

  it("takes functions whose name and length are unreadable or missing", async () => {
    const { cacheme } = await space();
    const hostile = Object.defineProperties(async (id: number) => `user ${id}`, {
      name: {
        get() {
          throw new Error("no name");
        },
      },
      length: {
        get() {
          throw new Error("no length");
        },
      },
    });
    const renamed = Object.defineProperties(async (id: number) => `user ${id}`, {
      name: { value: { toString: null } },
      length: { value: "many" },
    });
    for (const fn of [hostile, renamed]) {
      const find = cacheme.memoize(fn, (id) => new UserNode(id));
      expect([find.name, find.length, await find(1)]).toEqual(["", 0, "user 1"]);
    }
  });

  it("calls a function that has no apply of its own", async () => {
    const { cacheme } = await space();
    const bare = Object.setPrototypeOf(async (id: number) => `user ${id}`, null);
    const find = cacheme.memoize(bare as (id: number) => Promise<string>, (id) => new UserNode(id));
    expect([await find(1), await find.refresh(2)]).toEqual(["user 1", "user 2"]);
  });

  it("rejects with the error of a revoked function", async () => {
    const { cacheme } = await space();
    const { proxy, revoke } = Proxy.revocable(async (id: number) => `user ${id}`, {});
    const find = cacheme.memoize(proxy, (id) => new UserNode(id));
    revoke();
    expect(await reason(find(1))).toBeInstanceOf(TypeError);
    expect(await reason(cacheme.memoize(proxy, (id) => new UserNode(id))(1))).toBeInstanceOf(TypeError);
  });

  it("refuses anything but a function at once, and names its type", async () => {
    const { cacheme } = await space();
    const toNode = () => new UserNode(1);
    for (const memoize of [cacheme.memoize, cacheme.memoizeSync]) {
      const call = memoize.bind(cacheme) as (fn: unknown, toNode: unknown) => unknown;
      expect(thrownBy(() => call(undefined, toNode))).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringContaining("the function to memoize to be a function, got undefined"),
      });
      expect(thrownBy(() => call(toNode, "id"))).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringContaining("toNode to be a function, got a string"),
      });
    }
  });

  it("shares the function's run with a get of the node", async () => {
    const { cacheme } = await space();
    const find = cacheme.memoize(
      async (id: number) => {
        await settled();
        return `user ${id}`;
      },
      (id) => new UserNode(id),
    );
    const both = await Promise.all([find(1), cacheme.get(new UserNode(1), { load: () => "never asked" })]);
    expect(both).toEqual(["user 1", "user 1"]);
  });
});

describe("memoizeSync", () => {
  it("answers at once, calls the function once for each node, and keeps name, length and this", async () => {
    const { cacheme } = await space();
    let calls = 0;
    const users = {
      tenant: "acme",
      find: cacheme.memoizeSync(
        function findUser(this: { tenant: string }, id: number) {
          calls += 1;
          return `${this.tenant} ${id}`;
        },
        (id) => new LocalNode(id),
      ),
    };
    expect([users.find(1), users.find(1), calls]).toEqual(["acme 1", "acme 1", 1]);
    expect([users.find.name, users.find.length]).toEqual(["findUser", 1]);
    expect(users.find.node(1)).toEqual(new LocalNode(1));
    await users.find.invalidate(1);
    expect([users.find(1), calls]).toEqual(["acme 1", 2]);
  });

  it("throws the result of toNode if it is not a node", async () => {
    const { cacheme } = await space();
    const find = cacheme.memoizeSync(
      () => "user",
      () => undefined as unknown as LocalNode,
    );
    expect(thrownBy(find)).toMatchObject({
      code: "CACHEME_INVALID_NODE",
      message: expect.stringContaining("memoizeSync(…, toNode) returned undefined, expected a node"),
    });
    expect(await reason(find.invalidate())).toMatchObject({ code: "CACHEME_INVALID_NODE" });
  });

  it("refuses a function that returns a promise, and a node with a remote tier, with a code", async () => {
    const { cacheme } = await space();
    const asynchronous = cacheme.memoizeSync(
      (async () => "value") as unknown as () => string,
      () => new LocalNode(1),
    );
    expect(thrownBy(asynchronous)).toMatchObject({
      code: "CACHEME_NOT_SYNCHRONOUS",
      node: "local-user",
      key: "1",
    });
    const remote = cacheme.memoizeSync(
      () => "value",
      () => new UserNode(1),
    );
    expect(thrownBy(remote)).toMatchObject({ code: "CACHEME_NOT_SYNCHRONOUS", node: "user", key: "1" });
  });
});
