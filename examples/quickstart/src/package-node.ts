import { Node, type NodeMeta } from "cacheme";
import { caches } from "./caches.js";
import { type InstalledPackage, readInstalledPackage } from "./installed-package.js";

/** An installed package: its size and its dependencies. */
export class PackageNode extends Node<InstalledPackage> {
  static override meta: NodeMeta = { name: "package", caches };

  constructor(readonly folder: string) {
    super();
  }

  key() {
    return this.folder;
  }

  override load() {
    return readInstalledPackage(this.folder);
  }
}
