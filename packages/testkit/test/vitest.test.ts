import { storageCompliance } from "../src/vitest.js";
import { ReferenceStorage } from "./reference-storage.js";

const shared = new Map();

storageCompliance({ name: "the reference storage", create: () => new ReferenceStorage(shared) });
