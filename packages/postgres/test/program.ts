/** A program that uses a storage and then has nothing more to do: it must end by itself, without close(). */
import { postgres } from "../src/index.js";

const scenarios: Record<string, (url: string) => Promise<unknown>> = {
  async reads(url) {
    const storage = postgres(url);
    await storage.connect();
    await storage.writeMany([{ key: "program", bytes: Buffer.from("value"), ttl: 60_000 }]);
    return (await storage.readMany(["program"])).map(String);
  },
  async readsAndCloses(url) {
    const storage = postgres(url);
    await storage.connect();
    await Promise.all(Array.from({ length: 20 }, () => storage.ping()));
    await storage.close();
  },
  async connectsLazily(url) {
    await postgres(url, { connect: "lazy", connectTimeout: "1h" }).connect();
  },
  async isRefused(url) {
    const storage = postgres(url, { connect: "lazy" });
    await storage.connect();
    await storage.ping();
  },
  async hangs(url) {
    const storage = postgres(url, { connect: "lazy", commandTimeout: 100, connectTimeout: "1h" });
    await storage.connect();
    await storage.ping();
  },
};

const [, , scenario = "", url = ""] = process.argv;
try {
  console.log(JSON.stringify((await scenarios[scenario]?.(url)) ?? "done"));
} catch (error) {
  console.log(JSON.stringify(error instanceof Error && "code" in error ? error.code : String(error)));
}
