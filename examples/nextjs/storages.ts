import { memory, registerStorage } from "cacheme";

// Next evaluates this module several times. The same storage under the same name is registered once.
await registerStorage("local", memory({ maxSize: 1_000 }));
