import { expect, it } from "vitest";
import { server } from "../src/run/service.js";
import { describeWithServer } from "../src/vitest.js";
import { ask, Conversation } from "./conversation.js";

describeWithServer("memcached", "a server of memcached", (memcached) => {
  it("forgets everything when it is killed", async () => {
    const conversation = new Conversation(memcached().port);
    conversation.say("set key 0 0 4");
    expect(await conversation.ask("kept")).toBe("STORED");
    conversation.end();
    await memcached().restart();
    expect(await ask(memcached().port, "get key")).toBe("END");
  });

  it("accepts further arguments for its command line", async () => {
    const small = await server("memcached", { arguments: ["-I", "1m"] });
    const settings = await ask(small.port, "stats settings");
    expect(settings).toContain("STAT item_size_max 1048576");
    await small.stop();
  });
});
