/** A program that uses a storage and then has nothing more to do: it must end by itself, without close(). */
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const conditions = ["@cacheme/source", "module", "node", "import", "default"];
const { module } = await runnerImport(fileURLToPath(new URL("../src/index.ts", import.meta.url)), {
  configFile: false,
  logLevel: "error",
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
});
const fails = (call) =>
  call.then(
    () => "ok",
    (error) => error.code,
  );

const scenarios = {
  async reads(url) {
    const storage = module.redis(url);
    await storage.connect();
    return (await storage.readMany(["program"])).map(String);
  },
  async connectsLazily(url) {
    const storage = module.redis(url, { connect: "lazy", connectTimeout: "1h" });
    await storage.connect();
    return "ok";
  },
  async isRefused(url) {
    const storage = module.redis(url, { connect: "lazy" });
    await storage.connect();
    return fails(storage.ping());
  },
  async hangs(url) {
    const storage = module.redis(url, { connect: "lazy", commandTimeout: 100, connectTimeout: "1h" });
    await storage.connect();
    return fails(storage.ping());
  },
};
process.once("message", async ([scenario, url]) => {
  process.send(await scenarios[scenario](url));
  process.disconnect();
});
process.send("loaded");
