// The second of two bundles that contain the package, in one process. A minifier gives its other
// classes the same names.
import { CachemeError, get, memory, Node, registerStorage, reset } from "cacheme";
import { counted, SharedNode } from "./shared-node.mjs";
import { shelf } from "./shelf.mjs";

export { CachemeError, counted, reset };

class Post extends Node {
  static meta = { name: "post", caches: [{ storage: "shelf" }] };

  key() {
    return "1";
  }

  load() {
    return "the post 1";
  }
}

class LocalPost extends Node {
  key() {
    return "1";
  }

  load() {
    return "the post 1, at hand";
  }
}

class NamelessPost extends Post {
  static meta = { caches: [{ storage: "shelf" }] };
}

export const names = [Post.name, LocalPost.name, NamelessPost.name];

export async function setUp() {
  await registerStorage("local", memory({ maxSize: 100 }));
  await registerStorage("shelf", shelf());
}

export async function read() {
  return [await get(new Post()), await get(new LocalPost())];
}

export async function readNameless() {
  return await get(new NamelessPost());
}

export function readShared() {
  return get(new SharedNode());
}
