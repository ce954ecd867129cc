import { setTimeout } from "node:timers/promises";

export interface Author {
  readonly id: number;
  readonly name: string;
}

const names = ["Ada", "Alan"];

/** As slow as a remote service. */
export async function findAuthors(ids: readonly number[]): Promise<Author[]> {
  await setTimeout(200);
  return names.map((name, index) => ({ id: index + 1, name })).filter(({ id }) => ids.includes(id));
}
