import { Cacheme, defineNode, json, memory, msgpack, Node, type NodeMeta, v8 } from "cacheme";

const ready = new Cacheme();
await ready.registerStorage("local", memory({ maxSize: 10 }));

class TextNode extends Node {
  static override meta: NodeMeta = { caches: [{ storage: "local", ttl: "1m" }], serializer: msgpack() };

  key() {
    return "text";
  }

  override async load() {
    return { text: "as it went in" };
  }
}

const lists = defineNode({
  name: "list",
  key: () => "all",
  load: () => [1, 2, 3],
  caches: [{ storage: "local", ttl: 500 }],
});

const { text }: { text: string } = await ready.get(new TextNode());
const sum: number = (await ready.get(lists())).reduce((a, b) => a + b, 0);
if (text !== "as it went in" || sum !== 6) throw new Error(`Got ${text} and ${sum}`);
if ([json(), msgpack(), v8()].length !== 3) throw new Error("There are three serializers");
await ready.close();
