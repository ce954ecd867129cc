/** A program that uses a storage and then has nothing more to do: it must end by itself, without close(). */
import { mongodb } from "../src/index.js";

const scenarios: Record<string, (url: string) => Promise<unknown>> = {
  async reads(url) {
    const storage = mongodb(url, { commandTimeout: "3s" });
    await storage.connect();
    return (await storage.readMany(["program"])).map((bytes) => Buffer.from(bytes ?? []).toString());
  },
  async isRefused(url) {
    const storage = mongodb(url, { connect: "lazy", commandTimeout: 500 });
    await storage.connect();
    await storage.ping();
  },
  async hangs(url) {
    const storage = mongodb(url, { connect: "lazy", commandTimeout: 100, connectTimeout: 500 });
    await storage.connect();
    await storage.ping();
  },
};

const [, , scenario = "", url = ""] = process.argv;
try {
  console.log(JSON.stringify((await scenarios[scenario]?.(url)) ?? "done"));
} catch (error) {
  console.log(JSON.stringify(error instanceof Error && "code" in error ? error.code : error));
}
