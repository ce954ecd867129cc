import { memory, registerStorage } from "cacheme";

// Next evaluates this module several times. Registering the same storage again under the same name
// does nothing.
await registerStorage("local", memory({ maxSize: 1_000 }));
