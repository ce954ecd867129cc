import { connectionSettings, DriverStorage } from "cacheme/driver";
import { storageCompliance } from "../src/vitest.js";
import { MemoryDriver } from "./memory-driver.js";

const held = new Map();

storageCompliance({
  name: "DriverStorage over a driver in memory",
  create: (options) =>
    new DriverStorage(new MemoryDriver(held), {
      ...connectionSettings(
        {
          connect: options.connect,
          commandTimeout: options.commandTimeout,
          connectTimeout: options.connectTimeout,
        },
        "memory()",
      ),
      label: "memory",
    }),
});
