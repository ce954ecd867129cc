/** A program that uses a storage and then has nothing more to do: it must end by itself, without close(). */
import { mysql } from "../src/index.js";

const scenarios: Record<string, (url: string) => Promise<unknown>> = {
  async reads(url) {
    const storage = mysql(url);
    await storage.connect();
    return (await storage.readMany(["program"])).map(String);
  },
  async connectsLazily(url) {
    await mysql(url, { connect: "lazy", connectTimeout: "1h" }).connect();
  },
  async isRefused(url) {
    const storage = mysql(url, { connect: "lazy" });
    await storage.connect();
    await storage.ping();
  },
  async hangs(url) {
    const storage = mysql(url, { connect: "lazy", commandTimeout: 100, connectTimeout: "1h" });
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
