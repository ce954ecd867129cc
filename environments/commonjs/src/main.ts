// A TypeScript program in CommonJS: a class and a definition over memory and files, and a decorated
// method.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { file } from "@cacheme/file";
import {
  CachemeError,
  close,
  defineNode,
  get,
  invalidate,
  memoized,
  memory,
  Node,
  type NodeMeta,
  registerStorage,
} from "cacheme";

interface User {
  readonly id: number;
  readonly seen: Map<string, Date>;
}

let loads = 0;

class UserNode extends Node<User> {
  static override meta: NodeMeta = {
    name: "user",
    caches: [{ storage: "local", ttl: "1m" }, { storage: "files" }],
  };

  constructor(readonly id: number) {
    super();
  }

  key() {
    return `${this.id}`;
  }

  override load(): User {
    loads++;
    return { id: this.id, seen: new Map([["here", new Date(0)]]) };
  }
}

const pageOf = defineNode({ name: "page", key: (name: string) => name, load: (name) => `page ${name}` });

let calls = 0;

class Users {
  constructor(readonly prefix: string) {}

  @memoized((name: string) => pageOf(name))
  async greet(name: string): Promise<string> {
    calls++;
    return `${this.prefix} ${name}`;
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cacheme-commonjs-"));
  await registerStorage("local", memory());
  await registerStorage("files", file(folder));
  const user = await get(new UserNode(1));
  const again = await get(new UserNode(1));
  await invalidate(new UserNode(1));
  await get(new UserNode(1));
  const users = new Users("hello");
  const greetings = [await users.greet("Ada"), await users.greet("Ada")];
  // The package of an address is resolved as the program resolves it, in CommonJS too.
  await registerStorage("more files", `file://${join(folder, "more")}`);
  const refused = await registerStorage("local", memory({ maxSize: 1 })).catch((error: unknown) => error);
  const required: typeof import("cacheme") = require("cacheme");
  const imported = await import("cacheme");
  const printed = {
    isSame: user === again,
    day: user.seen.get("here")?.getTime(),
    loads,
    greetings,
    calls,
    code: refused instanceof CachemeError ? refused.code : undefined,
    known: [required.nodes().length, imported.nodes().length],
    isCommonJs: typeof module === "object" && require.main === module,
  };
  await close();
  rmSync(folder, { recursive: true });
  process.stdout.write(JSON.stringify(printed));
}

void main();
