import { Node } from "cacheme";

export const node: typeof Node = Node;
