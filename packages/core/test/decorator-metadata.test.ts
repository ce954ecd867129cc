import "reflect-metadata";
import { describe, expect, it } from "vitest";
import type { NodeMeta } from "../src/index.js";
import { localOnly, NumberedNode, space } from "./support/space.js";

class TitleNode extends NumberedNode<string> {
  static override meta: NodeMeta = { name: "title", caches: localOnly };
}

/** Stores the value on the function, as NestJS's `@SetMetadata` does with a method. */
function marked(key: string, value: unknown) {
  return (method: object, _context?: unknown): void => Reflect.defineMetadata(key, value, method);
}

const toNode = (id: number) => new TitleNode(id);

describe("metadata of reflect-metadata", () => {
  it("stays with the method, from decorators above and below @memoized", async () => {
    const { cacheme } = await space();
    class Titles {
      @marked("above", ["admin"])
      @cacheme.memoized(toNode)
      @marked("below", "path")
      async of(id: number) {
        return `title ${id}`;
      }
    }
    const { of } = Titles.prototype;
    expect(Reflect.getOwnMetadataKeys(of).toSorted()).toEqual(["above", "below"]);
    expect(Reflect.getMetadata("above", of)).toEqual(["admin"]);
    expect(Reflect.getMetadata("below", of)).toBe("path");
    expect(await new Titles().of(1)).toBe("title 1");
  });

  it("stays with the method under experimentalDecorators", async () => {
    const { cacheme } = await space();
    class Titles {
      async of(id: number) {
        return `title ${id}`;
      }
    }
    const original = Titles.prototype.of;
    marked("below", "path")(original);
    const before = Object.getOwnPropertyDescriptor(Titles.prototype, "of");
    const decorator = cacheme.memoized(toNode) as (...given: unknown[]) => PropertyDescriptor;
    Object.defineProperty(Titles.prototype, "of", decorator(Titles.prototype, "of", before));

    const { of } = Titles.prototype;
    expect(of).not.toBe(original);
    expect(Reflect.getOwnMetadata("below", of)).toBe("path");
    marked("above", 1)(of);
    expect(Reflect.hasOwnMetadata("above", original)).toBe(false);
  });
});
