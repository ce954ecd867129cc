/** A test process that starts the server that its first argument names and then does nothing: it is there to be killed. */
import type { ServiceName } from "../src/catalogue.js";
import { server } from "../src/service.js";

// The tests beside it name a service.
const started = await server((process.argv[2] ?? "redis") as ServiceName);
process.send?.({ port: started.port });
setInterval(() => {}, 1000);
