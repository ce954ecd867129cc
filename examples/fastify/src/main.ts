import { once } from "node:events";
import { memory, registerStorage } from "cacheme";
import { createApp } from "./app.js";

await registerStorage("local", memory({ maxSize: 10_000 }));

const app = createApp();
const address = await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 3000) });
console.log(`Listening on ${address}`);

await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
await app.close(); // Closes the server, then the cache. The process ends by itself.
