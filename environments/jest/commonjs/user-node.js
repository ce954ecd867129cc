const { Node } = require("cacheme");
const database = require("./database.js");

exports.UserNode = class UserNode extends Node {
  static meta = { name: "user", caches: [{ storage: "local", ttl: "1m" }] };

  constructor(id) {
    super();
    this.id = id;
  }

  key() {
    return `${this.id}`;
  }

  load() {
    return database.user(this.id);
  }
};
