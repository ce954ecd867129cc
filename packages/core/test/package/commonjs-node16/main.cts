// expects TS1479: in node16 a CommonJS file cannot require an ES module
import { Node } from "cacheme";

export const node: typeof Node = Node;
