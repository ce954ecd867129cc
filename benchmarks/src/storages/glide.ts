import { glide as storage } from "@cacheme/glide";
import { server } from "@cacheme/test-services";
import { Batch, Decoder, GlideClient } from "@valkey/valkey-glide";
import type { StorageSubject } from "./subject.js";

const inBytes = { decoder: Decoder.Bytes };

/** GLIDE's fastest form: one MGET, and a batch of SET. */
export const glide: StorageSubject = {
  name: "glide",
  async start() {
    const running = await server("redis");
    const client = await GlideClient.createClient({
      addresses: [{ host: "127.0.0.1", port: running.port }],
      requestTimeout: 1000,
    });
    return {
      storage: storage(`glide://127.0.0.1:${running.port}`),
      bare: {
        readMany: async (keys) => {
          const found = await client.mget([...keys], inBytes);
          return found.map((value) => (Buffer.isBuffer(value) ? value : undefined));
        },
        writeMany: (records) => {
          const batch = new Batch(false);
          for (const { key, bytes, ttl } of records) {
            batch.customCommand(["SET", key, Buffer.from(bytes), "PX", String(ttl)]);
          }
          return client.exec(batch, true);
        },
      },
      stop: async () => {
        client.close();
        await running.stop();
      },
    };
  },
};
