import { describe, expect, it } from "vitest";
import { type LoadContext, Node, type NodeMeta } from "../src/index.js";
import { deferred } from "./support/deferred.js";
import { space } from "./support/space.js";

/** Makes a page that is made of a user, and the source of both. */
async function pages() {
  const { cacheme, clock } = await space();
  const source = { user: "ada" };

  class UserNode extends Node<string> {
    static override meta: NodeMeta = { name: "user", caches: [{ storage: "local", ttl: "30s" }] };
    key() {
      return "1";
    }
    override load() {
      return source.user;
    }
  }

  class PageNode extends Node<string> {
    static override meta: NodeMeta = { name: "page", caches: [{ storage: "local", ttl: "60s" }] };
    constructor(
      readonly userAge?: "5s",
      readonly afterRead?: () => Promise<void>,
    ) {
      super();
    }
    key() {
      return "1";
    }
    override async load({ get }: LoadContext<string>) {
      const user = await get(new UserNode(), this.userAge === undefined ? {} : { maxAge: this.userAge });
      await this.afterRead?.();
      return `page of ${user}`;
    }
  }

  return { cacheme, clock, source, UserNode, PageNode };
}

describe("a node whose load reads another node", () => {
  it("may be as stale as the node that it read, plus its own ttl", async () => {
    const { cacheme, clock, source, UserNode, PageNode } = await pages();
    await cacheme.get(new UserNode());
    source.user = "grace";
    clock.advance(29_000);
    await cacheme.get(new PageNode());
    clock.advance(59_000);
    expect(await cacheme.get(new PageNode())).toBe("page of ada");
    clock.advance(1_000);
    expect(await cacheme.get(new PageNode())).toBe("page of grace");
  });

  it("stays if only the other node is invalidated, and goes if both are", async () => {
    const { cacheme, source, UserNode, PageNode } = await pages();
    await cacheme.get(new PageNode());
    source.user = "grace";
    await cacheme.invalidate(new UserNode());
    expect(await cacheme.get(new PageNode())).toBe("page of ada");
    await cacheme.invalidate(new UserNode(), new PageNode());
    expect(await cacheme.get(new PageNode())).toBe("page of grace");
  });

  it("is not stored if both are invalidated while it is loaded from the old value", async () => {
    const { cacheme, source, UserNode, PageNode } = await pages();
    await cacheme.get(new UserNode());
    const [hasRead, gate] = [deferred(), deferred()];
    const afterRead = () => {
      hasRead.resolve();
      return gate.promise;
    };
    const old = cacheme.get(new PageNode(undefined, afterRead));
    await hasRead.promise;
    source.user = "grace";
    await cacheme.invalidate(new UserNode(), new PageNode());
    gate.resolve();
    expect(await old).toBe("page of ada");
    expect(await cacheme.get(new PageNode())).toBe("page of grace");
  });

  it("is refreshed from the cached node, unless its load bounds the age of its reads", async () => {
    const { cacheme, clock, source, UserNode, PageNode } = await pages();
    await cacheme.get(new PageNode());
    source.user = "grace";
    clock.advance(6_000);
    expect(await cacheme.refresh(new PageNode())).toBe("page of ada");
    expect(await cacheme.refresh(new PageNode("5s"))).toBe("page of grace");
    source.user = "alan";
    await cacheme.refresh(new UserNode());
    expect(await cacheme.refresh(new PageNode())).toBe("page of alan");
  });
});
