import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { close, memory, registerStorage } from "cacheme";
import { createApp } from "./app.js";
import { drained } from "./drained.js";

await registerStorage("local", memory({ maxSize: 10_000 }));

const server = createServer(createApp());
const end = drained(server);
server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
await once(server, "listening");
console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);

await end;
await close(); // No request needs the cache now. The process ends by itself.
