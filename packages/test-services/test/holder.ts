/** A test process that starts a server and then does nothing: it is there to be killed. */
import { server } from "../src/service.js";

const redis = await server("redis");
process.send?.({ port: redis.port });
setInterval(() => {}, 1000);
