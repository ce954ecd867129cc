import type { SlotLinks } from "../../src/table/slot-links.js";
import { check } from "./check.js";

/** Returns the members of a list from first to last. Throws if the links back do not agree. */
export function members(links: SlotLinks, head: number): number[] {
  const slots: number[] = [];
  let before = head;
  for (let node = links.next[head]!; node !== head; node = links.next[node]!) {
    check(links.previous[node] === before, () => `node ${node} does not link back to ${before}`);
    check(slots.length <= links.next.length, () => "a list never ends");
    slots.push(node - links.heads);
    before = node;
  }
  check(links.previous[head] === before, () => `head ${head} does not link back to ${before}`);
  return slots;
}
