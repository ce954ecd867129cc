import assert = require("node:assert/strict");
import cacheme = require("cacheme");

class WordNode extends cacheme.Node<string> {
  static override meta: cacheme.NodeMeta = { name: "word" };

  key() {
    return "word";
  }

  override load() {
    return "required";
  }
}

async function main(): Promise<void> {
  const word: string = await cacheme.get(new WordNode());
  assert.equal(word, "required");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
