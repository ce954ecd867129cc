import { Node } from "cacheme";
import { user } from "./database.mjs";

export class UserNode extends Node {
  static meta = { name: "user", caches: [{ storage: "local", ttl: "1m" }] };

  constructor(id) {
    super();
    this.id = id;
  }

  key() {
    return `${this.id}`;
  }

  load() {
    return user(this.id);
  }
}
