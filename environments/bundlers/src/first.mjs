// The first of two bundles that contain the package, in one process.
import { CachemeError, get, memory, Node, registerStorage, reset } from "cacheme";
import { counted, SharedNode } from "./shared-node.mjs";
import { shelf } from "./shelf.mjs";

export { CachemeError, counted, reset };

class User extends Node {
  static meta = { name: "user", caches: [{ storage: "shelf" }] };

  key() {
    return "1";
  }

  load() {
    return "the user 1";
  }
}

class LocalUser extends Node {
  key() {
    return "1";
  }

  load() {
    return "the user 1, at hand";
  }
}

class NamelessUser extends User {
  static meta = { caches: [{ storage: "shelf" }] };
}

export const names = [User.name, LocalUser.name, NamelessUser.name];

export async function setUp() {
  await registerStorage("local", memory({ maxSize: 100 }));
  await registerStorage("shelf", shelf());
}

export async function read() {
  return [await get(new User()), await get(new LocalUser())];
}

export async function readNameless() {
  return await get(new NamelessUser());
}

export function readShared() {
  return get(new SharedNode());
}
